//! The command line.

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use routine_template::sandbox;

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
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Sandbox(arguments) => sandbox::command::run(arguments),
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
