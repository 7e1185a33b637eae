//! The program: [`synth::cli`] does the work.

fn main() -> std::process::ExitCode {
    synth::cli::main()
}
