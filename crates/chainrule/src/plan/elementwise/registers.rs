//! Registers: one is free again after the last use of its value.

use kernels::{Instruction, Source};

use super::{Loop, Reductions, Stores, Value};
use crate::plan::steps::{MapReduction, MapStep};

impl Loop<'_, '_> {
    /// Assigns registers: a register is free again after the last use of its value.
    pub(super) fn finish(mut self, stores: Stores, reductions: Reductions) -> MapStep {
        let mut last_use = vec![0usize; self.code.len()];
        for (index, (_, args)) in self.code.iter().enumerate() {
            for arg in args {
                if let Value::Result(of) = arg {
                    last_use[*of] = index;
                }
            }
        }
        let kept = stores.iter().map(|s| s.0).chain(reductions.iter().map(|r| r.0));
        for value in kept {
            if let Value::Result(of) = value {
                last_use[of] = usize::MAX;
            }
        }
        let mut registers: Vec<u8> = vec![0; self.code.len()];
        let mut free: Vec<u8> = Vec::new();
        let mut used = 0u8;
        for (index, (op, args)) in self.code.iter().enumerate() {
            let source = |value: Value| match value {
                Value::Result(of) => Source::Register(registers[of]),
                Value::Operand(at) => Source::Operand(at),
                Value::Constant(at) => Source::Constant(at),
            };
            let mut list = [Source::Constant(0); 3];
            for (slot, &arg) in list.iter_mut().zip(args) {
                *slot = source(arg);
            }
            for slot in args.len()..3 {
                list[slot] = list[0];
            }
            for arg in args {
                if let Value::Result(of) = *arg
                    && last_use[of] == index
                    && !free.contains(&registers[of])
                {
                    free.push(registers[of]);
                }
            }
            let out = free.pop().unwrap_or_else(|| {
                used += 1;
                used - 1
            });
            registers[index] = out;
            self.step.instructions.push(Instruction { op: *op, args: list, out });
        }
        let source = |value: Value| match value {
            Value::Result(of) => Source::Register(registers[of]),
            Value::Operand(at) => Source::Operand(at),
            Value::Constant(at) => Source::Constant(at),
        };
        self.step.registers = used;
        self.step.stores = stores.into_iter().map(|(value, at)| (source(value), at)).collect();
        self.step.reductions =
            reductions.into_iter().map(|(value, r)| MapReduction { source: source(value), ..r }).collect();
        self.step
    }
}
