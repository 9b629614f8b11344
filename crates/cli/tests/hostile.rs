//! A corpus of hostile tables: each is predicted by the real program, from a file and from a pipe, and ends with the exit
//! code, the error and the place that stand beside it.

#[path = "support/program.rs"]
mod program;
use program::{command, folder};

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

/// Name, contents, exit code, and the error with line and column where it has a place.
#[rustfmt::skip]
const CORPUS: &[(&str, &[u8], i32, &str)] = &[
    ("plain", b"a,b,c\n1,2,red\n", 0, ""),
    ("no final newline", b"a,b,c\n1,2,red", 0, ""),
    ("crlf", b"a,b,c\r\n1,2,red\r\n", 0, ""),
    ("cr", b"a,b,c\r1,2,red\r", 0, ""),
    ("mixed line ends", b"a,b,c\r\n1,2,red\n1,2,red\r1,2,red", 0, ""),
    ("bom", b"\xef\xbb\xbfa,b,c\n1,2,red\n", 0, ""),
    ("blank lines", b"\n\na,b,c\n\n\n1,2,red\n\n\n", 0, ""),
    ("quoted header", b"\"a\",\"b\",\"c\"\n1,2,red\n", 0, ""),
    ("quoted numbers", b"a,b,c\n\"1\",\"2\",\"red\"\n", 0, ""),
    ("newline in quotes", b"a,b,c\n1,2,\"re\nd\"\n", 0, ""),
    ("crlf in quotes", b"a,b,c\n1,2,\"re\r\nd\"\r\n", 0, ""),
    ("doubled quotes", b"a,b,c\n1,2,\"re\"\"d\"\n", 0, ""),
    ("only doubled quotes", b"a,b,c\n1,2,\"\"\"\"\n", 0, ""),
    ("quote inside a field", b"a,b,c\n1,2,re\"d\n", 0, ""),
    ("empty quoted", b"a,b,c\n1,2,\"\"\n", 0, ""),
    ("delimiter in quotes", b"a,b,c\n1,2,\"red,blue\"\n", 0, ""),
    ("semicolons", b"a;b;c\n1;2;red\n", 0, ""),
    ("semicolons and decimal commas", b"a;b;c\n1,5;2,25;red\n", 0, ""),
    ("semicolons and groups", b"a;b;c\n1.234,5;2;red\n", 0, ""),
    ("tabs", b"a\tb\tc\n1\t2\tred\n", 0, ""),
    ("bars", b"a|b|c\n1|2|red\n", 0, ""),
    ("columns in another order", b"c,b,a\nred,2,1\n", 0, ""),
    ("more columns", b"x,a,b,c,y\nq,1,2,red,5\n", 0, ""),
    ("blanks around cells", b"a, b ,c\n 1 , 2 , red \n", 0, ""),
    ("tab around cells", b"a,b,c\n\t1\t,2,red\n", 0, ""),
    ("nbsp around a number", b"a,b,c\n\xc2\xa01\xc2\xa0,2,red\n", 0, ""),
    ("missing", b"a,b,c\n1,,red\n", 0, ""),
    ("missing NA", b"a,b,c\n1,NA,red\n", 0, ""),
    ("missing N/A", b"a,b,c\n1,N/A,red\n", 0, ""),
    ("missing nan", b"a,b,c\n1,nan,red\n", 0, ""),
    ("missing NaN", b"a,b,c\n1,NaN,red\n", 0, ""),
    ("missing null", b"a,b,c\n1,null,red\n", 0, ""),
    ("missing NULL", b"a,b,c\n1,NULL,red\n", 0, ""),
    ("missing None", b"a,b,c\n1,None,red\n", 0, ""),
    ("missing ?", b"a,b,c\n1,?,red\n", 0, ""),
    ("missing (2)", b"a,b,c\n1,  ,red\n", 0, ""),
    ("missing n/a", b"a,b,c\n1,n/a,red\n", 0, ""),
    ("number +1.5", b"a,b,c\n+1.5,2,red\n", 0, ""),
    ("number -0", b"a,b,c\n-0,2,red\n", 0, ""),
    ("number 1e3", b"a,b,c\n1e3,2,red\n", 0, ""),
    ("number 1E-3", b"a,b,c\n1E-3,2,red\n", 0, ""),
    ("number .5", b"a,b,c\n.5,2,red\n", 0, ""),
    ("number 5.", b"a,b,c\n5.,2,red\n", 0, ""),
    ("number 1e-400", b"a,b,c\n1e-400,2,red\n", 0, ""),
    ("number 0001", b"a,b,c\n0001,2,red\n", 0, ""),
    ("number 12345678901234567890", b"a,b,c\n123456789012345678901234567890,2,red\n", 0, ""),
    ("number 10000000000000000000", b"a,b,c\n1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000,2,red\n", 0, ""),
    ("number 0.000000000000000000", b"a,b,c\n0.00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001,2,red\n", 0, ""),
    ("utf-16 le", b"\xff\xfea\x00,\x00b\x00,\x00c\x00\n\x001\x00,\x002\x00,\x00r\x00e\x00d\x00\n\x00", 0, ""),
    ("utf-16 be", b"\xfe\xff\x00a\x00,\x00b\x00,\x00c\x00\n\x001\x00,\x002\x00,\x00r\x00e\x00d\x00\n", 0, ""),
    ("utf-8 text", b"a,b,c\n1,2,gr\xc3\xbcn\n", 0, ""),
    ("emoji", b"a,b,c\n1,2,\xf0\x9f\x98\x80\n", 0, ""),
    ("right to left", b"a,b,c\n1,2,\xe2\x80\xaered\n", 0, ""),
    ("escape sequence in a cell", b"a,b,c\n1,2,\x1b[31mred\n", 0, ""),
    ("bell in a cell", b"a,b,c\n1,2,\x07\n", 0, ""),
    ("form feed", b"a,b,c\n1,2,\x0c\n", 0, ""),
    ("vertical tab in a number", b"a,b,c\n1\x0b,2,red\n", 0, ""),
    ("formula in a cell", b"a,b,c\n1,2,=1+1\n", 0, ""),
    ("long text", b"a,b,c\n1,2,xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n", 0, ""),
    ("long line of blanks", b"a,b,c\n1,2,                                                                                                                                                                                                                                                                                                            \n", 0, ""),
    ("json lines", b"{\"a\":1,\"b\":2,\"c\":\"red\"}\n", 0, ""),
    ("json without newline", b"{\"a\":1,\"b\":2,\"c\":\"red\"}", 0, ""),
    ("json with missing keys", b"{\"a\":1,\"b\":2,\"c\":\"red\"}\n{\"a\":1}\n", 0, ""),
    ("json null", b"{\"a\":null,\"b\":2,\"c\":null}\n", 0, ""),
    ("json numbers as texts", b"{\"a\":\"1\",\"b\":\"2\",\"c\":\"red\"}\n", 0, ""),
    ("json escapes", b"{\"a\":1,\"b\":2,\"c\":\"\\u0072ed\"}\n", 0, ""),
    ("json escaped keys", b"{\"\\u0061\":1,\"b\":2,\"c\":\"red\"}\n", 0, ""),
    ("json booleans", b"{\"a\":1,\"b\":2,\"c\":true}\n", 0, ""),
    ("json crlf", b"{\"a\":1,\"b\":2,\"c\":\"red\"}\r\n{\"a\":1,\"b\":2,\"c\":\"red\"}\r\n", 0, ""),
    ("json blank lines", b"\n{\"a\":1,\"b\":2,\"c\":\"red\"}\n\n\n", 0, ""),
    ("json more keys", b"{\"a\":1,\"b\":2,\"c\":\"red\",\"d\":4}\n", 0, ""),
    ("number 1e400", b"a,b,c\n1e400,2,red\n", 4, "E314 2:1"),
    ("number -1e400", b"a,b,c\n-1e400,2,red\n", 4, "E314 2:1"),
    ("number inf", b"a,b,c\ninf,2,red\n", 4, "E314 2:1"),
    ("number -inf", b"a,b,c\n-inf,2,red\n", 4, "E314 2:1"),
    ("number Infinity", b"a,b,c\nInfinity,2,red\n", 4, "E314 2:1"),
    ("number +inf", b"a,b,c\n+inf,2,red\n", 4, "E314 2:1"),
    ("number 1e308e", b"a,b,c\n1e308e,2,red\n", 4, "E313 2:1"),
    ("number 0x10", b"a,b,c\n0x10,2,red\n", 4, "E313 2:1"),
    ("number 1_000", b"a,b,c\n1_000,2,red\n", 4, "E313 2:1"),
    ("number 1,5", b"a,b,c\n\"1,5\",2,red\n", 4, "E313 2:1"),
    ("number 1.2.3", b"a,b,c\n1.2.3,2,red\n", 4, "E313 2:1"),
    ("number --1", b"a,b,c\n--1,2,red\n", 4, "E313 2:1"),
    ("number 1e", b"a,b,c\n1e,2,red\n", 4, "E313 2:1"),
    ("number e5", b"a,b,c\ne5,2,red\n", 4, "E313 2:1"),
    ("number 1 2", b"a,b,c\n1 2,2,red\n", 4, "E313 2:1"),
    ("number 0b1", b"a,b,c\n0b1,2,red\n", 4, "E313 2:1"),
    ("number 1/2", b"a,b,c\n1/2,2,red\n", 4, "E313 2:1"),
    ("number 50%", b"a,b,c\n50%,2,red\n", 4, "E313 2:1"),
    ("number $5", b"a,b,c\n$5,2,red\n", 4, "E313 2:1"),
    ("number 1f", b"a,b,c\n1f,2,red\n", 4, "E313 2:1"),
    ("number true", b"a,b,c\ntrue,2,red\n", 4, "E313 2:1"),
    ("number one", b"a,b,c\none,2,red\n", 4, "E313 2:1"),
    ("number u0661", b"a,b,c\n\xd9\xa1,2,red\n", 4, "E313 2:1"),
    ("number u22121", b"a,b,c\n\xe2\x88\x921,2,red\n", 4, "E313 2:1"),
    ("number 1.5u20ac", b"a,b,c\n1.5\xe2\x82\xac,2,red\n", 4, "E313 2:1"),
    ("number uff11", b"a,b,c\n\xef\xbc\x91,2,red\n", 4, "E313 2:1"),
    ("number 1xa0000", b"a,b,c\n1\xc2\xa0000,2,red\n", 4, "E313 2:1"),
    ("number nan(1)", b"a,b,c\nnan(1),2,red\n", 4, "E313 2:1"),
    ("number -nan", b"a,b,c\n-nan,2,red\n", 0, ""),
    ("number #N/A", b"a,b,c\n#N/A,2,red\n", 4, "E313 2:1"),
    ("number #DIV/0!", b"a,b,c\n#DIV/0!,2,red\n", 4, "E313 2:1"),
    ("number -", b"a,b,c\n-,2,red\n", 4, "E313 2:1"),
    ("1e400 in the second row", b"a,b,c\n1,2,red\n1e400,2,red\n", 4, "E314 3:1"),
    ("text in a number far down", b"a,b,c\n1,2,red\n1,2,red\n1,2,red\n1,2,red\n1,2,red\n1,2,red\n1,2,red\n1,2,red\n1,2,red\n1,2,red\n1,2,red\n1,2,red\n1,x,red\n", 4, "E313 14:3"),
    ("text after blanks", b"a,b,c\n1,   x,red\n", 4, "E313 2:3"),
    ("text after quotes", b"a,b,c\n\"1\",\"x\",red\n", 4, "E313 2:5"),
    ("decimal comma in a comma file", b"a,b,c\n\"1,5\",2,red\n", 4, "E313 2:1"),
    ("thousands", b"a,b,c\n\"1,234\",2,red\n", 4, "E313 2:1"),
    ("text behind crlf", b"a,b,c\r\n1,2,red\r\n1,x,red\r\n", 4, "E313 3:3"),
    ("text behind cr", b"a,b,c\r1,2,red\r1,x,red\r", 4, "E313 3:3"),
    ("text behind a newline in quotes", b"c,a,b\n\"re\nd\",1,x\n", 4, "E313 3:6"),
    ("text in semicolons", b"a;b;c\n1;x;red\n", 4, "E313 2:3"),
    ("wrong groups", b"a;b;c\n1.23,5;2;red\n", 4, "E313 2:1"),
    ("two commas", b"a;b;c\n1,5,5;2;red\n", 4, "E313 2:1"),
    ("text in utf-16", b"\xff\xfea\x00,\x00b\x00,\x00c\x00\n\x001\x00,\x00x\x00,\x00r\x00e\x00d\x00\n\x00", 4, "E313 2:3"),
    ("short row", b"a,b,c\n1,2\n", 4, "E308 2:4"),
    ("long row", b"a,b,c\n1,2,red,4\n", 4, "E308 2:9"),
    ("short second row", b"a,b,c\n1,2,red\n1\n", 4, "E308 3:2"),
    ("long second row", b"a,b,c\n1,2,red\n1,2,red,4,5\n", 4, "E308 3:9"),
    ("delimiter at the end", b"a,b,c\n1,2,red,\n", 4, "E308 2:9"),
    ("delimiter at the end of all", b"a,b,c,\n1,2,red,\n", 4, "E310 1:7"),
    ("short row at the end", b"a,b,c\n1,2,red\n1,2", 4, "E308 3:4"),
    ("row of one blank", b"a,b,c\n \n", 4, "E308 2:2"),
    ("unquoted comma", b"a,b,c\n1,2,red, blue\n", 4, "E308 2:9"),
    ("ragged crlf", b"a,b,c\r\n1,2\r\n", 4, "E308 2:4"),
    ("ragged behind quotes", b"a,b,c\n1,2,\"x\ny\"\n1,2\n", 4, "E308 4:4"),
    ("comment line", b"# made by hand\na,b,c\n1,2,red\n", 4, "E308 2:3"),
    ("title line", b"My table\n\na,b,c\n1,2,red\n", 4, "E308 3:3"),
    ("header too short", b"a,b\n1,2,red\n", 4, "E308 2:5"),
    ("ragged tabs", b"a\tb\tc\n1\t2\n", 4, "E308 2:4"),
    ("lines of dashes", b"a,b,c\n---\n1,2,red\n", 4, "E308 2:4"),
    ("total line", b"a,b,c\n1,2,red\ntotal\n", 4, "E308 3:6"),
    ("ragged in utf-8", b"a,b,c\n\xc3\xa4,2\n", 4, "E308 2:4"),
    ("unterminated", b"a,b,c\n1,2,\"red\n", 4, "E309 2:5"),
    ("unterminated header", b"\"a,b,c\n1,2,red\n", 4, "E309 1:1"),
    ("unterminated far from the end", b"a,b,c\n1,\"2,red\n1,2,red\n1,2,red\n1,2,red\n1,2,red\n1,2,red\n1,2,red\n1,2,red\n1,2,red\n1,2,red\n1,2,red\n1,2,red\n1,2,red\n1,2,red\n1,2,red\n1,2,red\n1,2,red\n1,2,red\n1,2,red\n1,2,red\n1,2,red\n", 4, "E309 2:3"),
    ("text after a quote", b"a,b,c\n1,2,\"red\"x\n", 4, "E309 2:10"),
    ("blank after a quote", b"a,b,c\n1,\"2\" ,red\n", 4, "E309 2:6"),
    ("odd quotes", b"a,b,c\n1,2,\"\"\"\n", 4, "E309 2:5"),
    ("single quote at the end", b"a,b,c\n1,2,red\n\"", 4, "E309 3:1"),
    ("backslash quote", b"a,b,c\n1,2,\"re\\\"d\"\n", 4, "E309 2:10"),
    ("quote after a quote", b"a,b,c\n1,2,\"red\"\"\n", 4, "E309 2:5"),
    ("two quoted in one", b"a,b,c\n1,2,\"red\" \"blue\"\n", 4, "E309 2:10"),
    ("duplicate name", b"a,b,a\n1,2,red\n", 4, "E311 1:5"),
    ("duplicate after trimming", b"a,b, a\n1,2,red\n", 4, "E311 1:5"),
    ("empty name", b"a,,c\n1,2,red\n", 4, "E310 1:3"),
    ("empty first name", b",a,b,c\n0,1,2,red\n", 4, "E310 1:1"),
    ("blank name", b"a,   ,c\n1,2,red\n", 4, "E310 1:3"),
    ("quoted empty name", b"a,\"\",c\n1,2,red\n", 4, "E310 1:3"),
    ("header only", b"a,b,c\n", 4, "E305"),
    ("header without newline", b"a,b,c", 4, "E305"),
    ("header and blank lines", b"a,b,c\n\n\n", 4, "E305"),
    ("missing column", b"a,c\n1,red\n", 4, "E315"),
    ("misspelt column", b"a,B,c\n1,2,red\n", 4, "E315"),
    ("no header", b"1,2,red\n3,4,blue\n", 4, "E315"),
    ("one column", b"a\n1\n", 4, "E315"),
    ("bom within", b"\xef\xbb\xbf\xef\xbb\xbfa,b,c\n1,2,red\n", 4, "E315"),
    ("empty", b"", 4, "E304"),
    ("newline", b"\n", 4, "E304"),
    ("blanks", b"   \n  \t\n", 4, "E304"),
    ("only a bom", b"\xef\xbb\xbf", 4, "E304"),
    ("only commas", b",,,\n,,,\n", 4, "E310 1:1"),
    ("only quotes", b"\"\"\n\"\"\n", 4, "E310 1:1"),
    ("one letter", b"x", 4, "E305"),
    ("crlf only", b"\r\n\r\n", 4, "E304"),
    ("utf-16 mark only", b"\xff\xfe", 4, "E304"),
    ("zero byte", b"a,b,c\n1,\x002,red\n", 4, "E307 2:3"),
    ("zero byte in the header", b"a,\x00b,c\n1,2,red\n", 4, "E307 1:3"),
    ("zero bytes at the end", b"a,b,c\n1,2,red\n\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 4, "E307 3:1"),
    ("latin-1", b"a,b,c\n1,2,caf\xe9\n", 4, "E306 2:8"),
    ("latin-1 header", b"a,b,c,\xe9\n1,2,red,4\n", 4, "E306 1:7"),
    ("truncated utf-8", b"a,b,c\n1,2,\xc3\n", 4, "E306 2:5"),
    ("overlong", b"a,b,c\n1,2,\xc0\xaf\n", 4, "E306 2:5"),
    ("surrogate", b"a,b,c\n1,2,\xed\xa0\x80\n", 4, "E306 2:5"),
    ("utf-16 without a mark", b"a\x00,\x00b\x00,\x00c\x00\n\x001\x00,\x002\x00,\x00r\x00e\x00d\x00\n\x00", 4, "E307 1:2"),
    ("utf-16 with half a letter", b"\xff\xfea\x00,\x00b\x00,\x00c\x00\n\x001\x00,\x002\x00,\x00r\x00e\x00d\x00\n\x001", 4, "E330"),
    ("utf-16 with half a pair", b"\xff\xfea\x00,\x00b\x00,\x00c\x00\n\x001\x00,\x002\x00,\x00\x00\xd8\n\x00", 4, "E330"),
    ("utf-32", b"\xff\xfe\x00\x00a\x00\x00\x00,\x00\x00\x00b\x00\x00\x00,\x00\x00\x00c\x00\x00\x00\n\x00\x00\x00", 4, "E307 1:1"),
    ("random bytes", b"\x0b0Uz\x9f\xc4\xe9\x0e3X}\xa2\xc7\xec\x116[\x80\xa5\xca\xef\x149^\x83\xa8\xcd\xf2\x17<a\x86\xab\xd0\xf5\x1a?d\x89\xae\xd3\xf8\x1dBg\x8c\xb1\xd6\xfb Ej\x8f\xb4\xd9\xfe#Hm\x92\xb7\xdc\x01&Kp\x95\xba\xdf\x04)Ns\x98\xbd\xe2\x07,Qv\x9b\xc0\xe5\n/Ty\x9e\xc3\xe8\r2W|\xa1\xc6\xeb\x105Z\x7f\xa4\xc9\xee\x138]\x82\xa7\xcc\xf1\x16;`\x85\xaa\xcf\xf4\x19>c\x88\xad\xd2\xf7\x1cAf\x8b\xb0\xd5\xfa\x1fDi\x8e\xb3\xd8\xfd\"Gl\x91\xb6\xdb\x00%Jo\x94\xb9\xde\x03(Mr\x97\xbc\xe1\x06+Pu\x9a\xbf\xe4\t.Sx\x9d\xc2\xe7\x0c1V{\xa0\xc5\xea\x0f4Y~\xa3\xc8\xed\x127\\\x81\xa6\xcb\xf0\x15:_\x84\xa9\xce\xf3\x18=b\x87\xac\xd1\xf6\x1b@e\x8a\xaf\xd4\xf9\x1eCh\x8d\xb2\xd7\xfc!Fk\x90\xb5\xda\xff$In\x93\xb8\xdd\x02'Lq\x96\xbb\xe0\x05*Ot\x99\xbe\xe3\x08-Rw\x9c\xc1\xe6\x0b0Uz\x9f\xc4\xe9\x0e3X}\xa2\xc7\xec\x116[\x80\xa5\xca\xef\x149^\x83\xa8\xcd\xf2\x17<a\x86\xab\xd0\xf5\x1a?d\x89\xae\xd3\xf8\x1dB", 4, "E306 1:5"),
    ("a pdf", b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", 4, "E306 2:2"),
    ("a png", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", 4, "E306 1:1"),
    ("html", b"<!DOCTYPE html>\n<html><body>404, not found</body></html>\n", 4, "E308 2:17"),
    ("an elf", b"\x7fELF\x02\x01\x01\x00\x00\x00", 4, "E307 1:8"),
    ("xlsx", b"PK\x03\x04\x14\x00\x06\x00", 4, "E323"),
    ("zip end", b"PK\x05\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 4, "E323"),
    ("zstd", b"(\xb5/\xfd\x04\x00", 4, "E330"),
    ("xz", b"\xfd7zXZ\x00\x00\x04", 4, "E330"),
    ("bzip2", b"BZh91AY&SY", 4, "E330"),
    ("gzip header only", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", 4, "E330"),
    ("gzip two bytes", b"\x1f\x8b", 4, "E330"),
    ("parquet magic", b"PAR1\x15\x04", 4, "E330"),
    ("npy magic", b"\x93NUMPY\x01\x00", 4, "E323"),
    ("idx cut", b"\x00\x00\x08\x03\x00\x00", 4, "E330"),
    ("idx of a wrong size", b"\x00\x00\x08\x01\x00\x00\x00\x05abc", 4, "E330"),
    ("idx too large", b"\x00\x00\x0e\x04\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 4, "E330"),
    ("json list", b"[{\"a\":1,\"b\":2,\"c\":\"red\"}]\n", 4, "E309 1:12"),
    ("json nested", b"{\"a\":1,\"b\":{\"x\":2},\"c\":\"red\"}\n", 4, "E331 1:12"),
    ("json list within", b"{\"a\":1,\"b\":[2],\"c\":\"red\"}\n", 4, "E331 1:12"),
    ("json cut", b"{\"a\":1,\"b\":2,\"c\":\"re", 4, "E331 1:20"),
    ("json cut in the second line", b"{\"a\":1,\"b\":2,\"c\":\"red\"}\n{\"a\":1,\n", 4, "E331 2:7"),
    ("json pretty", b"{\n  \"a\": 1\n}\n", 4, "E331 1:1"),
    ("json two in a line", b"{\"a\":1,\"b\":2,\"c\":\"red\"}{\"a\":1}\n", 4, "E331 1:24"),
    ("json twice the key", b"{\"a\":1,\"a\":2,\"b\":2,\"c\":\"red\"}\n", 4, "E331 1:12"),
    ("json text in a number", b"{\"a\":\"x\",\"b\":2,\"c\":\"red\"}\n", 4, "E313 1:7"),
    ("json overflow", b"{\"a\":1e400,\"b\":2,\"c\":\"red\"}\n", 4, "E314 1:6"),
    ("json NaN", b"{\"a\":NaN,\"b\":2,\"c\":\"red\"}\n", 4, "E331 1:6"),
    ("json trailing comma", b"{\"a\":1,\"b\":2,\"c\":\"red\",}\n", 4, "E331 1:24"),
    ("json single quotes", b"{'a':1}\n", 4, "E305"),
    ("json missing column", b"{\"a\":1,\"c\":\"red\"}\n", 4, "E315"),
    ("json empty object", b"{}\n", 4, "E305"),
    ("json empty key", b"{\"\":1}\n", 4, "E331 1:5"),
    ("json deep", b"{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n", 4, "E331 1:305"),
    ("json bad escape", b"{\"a\":1,\"b\":2,\"c\":\"\\q\"}\n", 4, "E331 1:20"),
    ("json bad utf-8", b"{\"a\":1,\"b\":2,\"c\":\"\xe9\"}\n", 4, "E306 1:19"),
    ("json and a csv row", b"{\"a\":1,\"b\":2,\"c\":\"red\"}\n1,2,red\n", 4, "E331 2:1"),
    ("json half a pair", b"{\"a\":1,\"b\":2,\"c\":\"\\ud800\"}\n", 4, "E331 1:18"),
];

/// A folder with a model of the numbers `a` and `b` and the category `c`.
fn with_model(name: &str) -> PathBuf {
    let folder = folder(name);
    let mut csv = "a,b,c,y\n".to_owned();
    for row in 0..60 {
        let colour = if row % 3 == 0 { "red" } else { "blue" };
        csv += &format!("{},{}.5,{colour},{}.25\n", row * 37 % 61, row * 7 % 13, row * 3 % 17);
    }
    fs::write(folder.join("t.csv"), csv).unwrap();
    let output = command(&folder, "train t.csv --target y --epochs 2 -o m.safetensors -q").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    folder
}

fn piped(folder: &Path, args: &str, bytes: &[u8]) -> Output {
    let mut child = command(folder, args).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // The program may be done before it has read everything.
    let _ = stdin.write_all(bytes);
    drop(stdin);
    child.wait_with_output().unwrap()
}

#[test]
fn every_hostile_table_ends_as_the_corpus_says() {
    assert!(CORPUS.len() >= 150, "{} tables", CORPUS.len());
    let folder = with_model("corpus");
    let mut wrong = Vec::new();
    for (name, bytes, exit, expected) in CORPUS {
        fs::write(folder.join("x.csv"), bytes).unwrap();
        let from_file = command(&folder, "predict m.safetensors x.csv").output().unwrap();
        let from_pipe = piped(&folder, "predict m.safetensors -", bytes);
        for (output, file) in [(&from_file, "x.csv"), (&from_pipe, "-")] {
            let told = String::from_utf8_lossy(&output.stderr);
            let (code, place) = expected.split_once(' ').unwrap_or((expected, ""));
            let code_fits =
                if code.is_empty() { !told.contains("error") } else { told.starts_with(&format!("error[{code}]: ")) };
            let place_fits = place.is_empty() || told.contains(&format!("[ {file}:{place} ]"));
            // What stands before a fault may be answered; what cannot be read has no answer.
            let rows = output.stdout.iter().filter(|&&byte| byte == b'\n').count();
            if output.status.code() != Some(*exit) || !code_fits || !place_fits || (rows > 1) != (*exit == 0) {
                wrong.push(format!("{name} ({file}): {:?}, expected {exit} {expected}\n{told}", output.status.code()));
            }
        }
        if from_file.stdout != from_pipe.stdout {
            wrong.push(format!("{name}: a pipe gives another answer than a file"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
