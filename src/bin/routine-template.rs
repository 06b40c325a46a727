//! The command line.

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use routine_template::{outbox, sandbox};

/// WeChat subscribe messages: the tools beside the PHP extension
#[derive(Debug, Parser)]
#[command(name = "routine-template", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Sandbox(sandbox::command::SandboxArgs),
    Work(outbox::command::WorkArgs),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Sandbox(arguments) => sandbox::command::run(arguments).map_err(|error| error.to_string()),
        Command::Work(arguments) => outbox::command::run(&arguments).map_err(|error| error.to_string()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where even stderr is closed, the exit code has to do.
            let _ = writeln!(std::io::stderr(), "routine-template: {error}");
            ExitCode::FAILURE
        }
    }
}
