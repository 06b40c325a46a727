//! The command line.

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use routine_template::{doctor, outbox, sandbox, validate};

/// WeChat subscribe messages: the tools beside the PHP extension
#[derive(Debug, Parser)]
#[command(name = "routine-template", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Doctor(doctor::command::DoctorArgs),
    Validate(validate::ValidateArgs),
    Sandbox(sandbox::command::SandboxArgs),
    Work(outbox::command::WorkArgs),
}

fn main() -> ExitCode {
    let done = |()| ExitCode::SUCCESS;
    let result = match Arguments::parse().command {
        Command::Doctor(arguments) => doctor::command::run(&arguments).map_err(|error| error.to_string()),
        Command::Validate(arguments) => validate::run(&arguments).map_err(|error| error.to_string()),
        Command::Sandbox(arguments) => sandbox::command::run(arguments).map(done).map_err(|error| error.to_string()),
        Command::Work(arguments) => outbox::command::run(&arguments).map(done).map_err(|error| error.to_string()),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            // Where even stderr is closed, the exit code has to do.
            let _ = writeln!(std::io::stderr(), "routine-template: {error}");
            ExitCode::FAILURE
        }
    }
}
