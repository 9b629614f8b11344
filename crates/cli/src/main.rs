//! The `chainrule` command line: thin; one file per subcommand.

mod args;
mod caret;
mod commands;
mod configured;
mod errors;
mod interrupt;
mod models;
mod output;
mod picture;
mod render;
mod samplings;
mod source;
mod subject;

use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::process::ExitCode;

use args::{Cli, Command};
use clap::Parser;
use errors::Failure;
use output::Context;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(report_panic));
    let outcome = catch_unwind(AssertUnwindSafe(run));
    ExitCode::from(outcome.unwrap_or(errors::BUG))
}

fn run() -> u8 {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(answer) => return before_any_command(&answer),
    };
    let context = Context::new(&cli.global);
    let result = match &cli.command {
        Command::Derive(args) => commands::derive::run(args, &context),
        Command::Emit(args) => commands::emit::run(args, &context),
        Command::Verify(args) => commands::verify::run(args, &context),
        Command::Check(args) => commands::check::run(args, &context),
        Command::Show(args) => commands::show::run(args, &context),
        Command::Explain(args) => commands::explain::run(args),
        Command::Init(args) => commands::init::run(args, &context),
        Command::Data(args) => commands::data::run(args, &context),
        Command::Cv(args) => commands::cv::run(args, &context),
        Command::Tune(args) => commands::tune::run(args, &context),
        Command::Runs(args) => commands::runs::run(args, &context),
        Command::Compare(args) => commands::compare::run(args, &context),
        Command::Demo(args) => commands::demo::run(args, &context),
        Command::Schema(args) => commands::schema::run(args),
        Command::Completions(args) => commands::manual::completions(args),
        Command::Man(args) => commands::manual::man(args),
        Command::Train(args) => commands::train::run(args, &context),
        Command::Resume(args) => commands::resume::run(args, &context),
        Command::Fit(args) => commands::fit::run(args, &context),
        Command::Predict(args) => commands::predict::run(args, &context),
        Command::Evaluate(args) => commands::evaluate::run(args, &context),
        Command::Importance(args) => commands::importance::run(args, &context),
        Command::Dependence(args) => commands::dependence::run(args, &context),
        Command::LearningCurve(args) => commands::learning_curve::run(args, &context),
        Command::Plot(args) => commands::plot::run(args, &context),
        Command::Report(args) => commands::report::run(args, &context),
        Command::LrFind(args) => commands::lr_find::run(args, &context),
        Command::Numerics(args) => commands::numerics::run(args, &context),
    };
    match result {
        Ok(()) => 0,
        Err(failure) => report(&failure, context.color),
    }
}

/// Help and version go to standard output, faults of the arguments to standard error.
fn before_any_command(answer: &clap::Error) -> u8 {
    let text = answer.render();
    if answer.use_stderr() {
        let color = output::color_on_stderr(args::ColorWhen::Auto);
        output::progress(&if color { text.ansi().to_string() } else { text.to_string() });
        return answer.exit_code() as u8;
    }
    match output::answer(&text.to_string()) {
        Ok(()) => 0,
        Err(failure) => report(&failure, false),
    }
}

fn report(failure: &Failure, color: bool) -> u8 {
    let message = render::failure(failure, color);
    output::progress(&message);
    failure.exit_code()
}

fn report_panic(info: &PanicHookInfo<'_>) {
    // A library that reads damaged files on a thread of its own may panic; that becomes an error of the file.
    #[cfg(feature = "parquet")]
    if std::thread::current().name() == Some(chainrule::data::PARQUET_THREAD) {
        return;
    }
    let payload = info.payload();
    let what = payload.downcast_ref::<&str>().copied();
    let what = what.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message");
    let place = info.location().map_or_else(String::new, |at| format!(" at {}:{}", at.file(), at.line()));
    let version = env!("CARGO_PKG_VERSION");
    output::progress(&format!(
        "error: this is a bug of Chainrule, not of your input: {what}{place}\n\
         please report it with this message, the command line and the file it was given (chainrule {version})\n"
    ));
}
