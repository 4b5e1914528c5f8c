//! Editing traces replayed with this library and with others, and what that costs.
//!
//! An engine is a trait ([`engine`]), each library a file that implements it; [`measure`]
//! says what each row ([`rows`]) means. What a trace is to any engine stands in [`case`]:
//! offsets as the engine counts them ([`script`]), and who writes after having received what
//! ([`plan`], [`session`]); [`prepared`] is what it came to in one of them. Figures are processor time and counted heap, so that a ratio
//! within one run means something on a machine that others use too.

mod attempt;
mod case;
mod engine;
mod heap;
mod library;
mod measure;
mod ours;
#[cfg(feature = "peers")]
mod peers;
mod plan;
mod prepared;
mod report;
mod rows;
mod sample;
mod script;
mod session;

use std::path::PathBuf;
use std::process::ExitCode;

use benches::Trace;
use clap::Parser;

use case::Case;
use library::Library;
use measure::Rows;
use report::Figure;
use rows::Row;

/// Replays editing traces with this library and, built with `--features peers`, with others.
#[derive(Parser)]
#[command(name = "traces", max_term_width = 96)]
struct Options {
    /// The folder with the traces (`*.json.gz`, also in folders in it); by default the one
    /// that CRDT_TRACES names.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Measure this trace only; may be given several times.
    #[arg(long, value_name = "NAME")]
    trace: Vec<String>,
    /// Measure this library only; may be given several times.
    #[arg(long, value_name = "NAME")]
    lib: Vec<String>,
    /// Measure this row only; may be given several times.
    #[arg(long, value_name = "NAME")]
    row: Vec<Row>,
    /// Append each trace to itself until it is there so many times, each copy typed in front
    /// of the ones before.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = positive)]
    times: usize,
    /// How often to measure what takes time, after a run that warms up.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = positive)]
    runs: usize,
    /// Print an object a line instead of tables.
    #[arg(long)]
    json: bool,
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("once at least".to_owned()),
        Ok(number) => Ok(number),
        Err(error) => Err(error.to_string()),
    }
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    let traces = chosen_traces(options)?;
    let libraries = chosen_libraries(options)?;
    let mut figures = Vec::new();
    let steps = traces.len() * libraries.len();
    for (index, (name, path)) in traces.iter().enumerate() {
        let trace = Trace::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let (name, trace) = match options.times {
            1 => (name.clone(), trace),
            times => (format!("{name}-x{times}"), trace.times(times)),
        };
        let case = Case::new(&trace);
        if case.is_ambiguous() {
            eprintln!(
                "{name}: ids decide the final text, so replicas are compared with each other"
            );
        }
        let wanted = wanted_rows(options, &trace);
        for (library, step) in libraries.iter().zip(index * libraries.len() + 1..) {
            eprintln!("[{step}/{steps}] {name}: {}", library.name);
            let mut report = |row, result: engine::Outcome<_>| {
                let result = result.map_err(|error| error.to_string());
                let figure = Figure { trace: name.clone(), row, library: library.name, result };
                eprintln!("    {row:<10} {}", figure.words());
                if options.json {
                    println!("{}", figure.json());
                }
                figures.push(figure);
            };
            let mut rows = Rows { wanted: &wanted, runs: options.runs, report: &mut report };
            (library.measure)(&case, &mut rows);
        }
    }
    if !options.json {
        print!("{}", report::tables(&figures, options.runs));
    }
    Ok(())
}

fn wanted_rows(options: &Options, trace: &Trace) -> Vec<Row> {
    let chosen = |row: &Row| options.row.is_empty() || options.row.contains(row);
    Row::ALL.into_iter().filter(chosen).filter(|row| row.applies_to(trace.kind)).collect()
}

fn chosen_traces(options: &Options) -> Result<Vec<(String, PathBuf)>, String> {
    let folder = options
        .data
        .clone()
        .or_else(benches::named_by_environment)
        .ok_or("where are the traces? Name their folder with --data DIR or in CRDT_TRACES")?;
    let all = benches::traces_in(&folder)
        .map_err(|error| format!("{} cannot be read: {error}", folder.display()))?;
    if all.is_empty() {
        return Err(format!("there is no *.json.gz in {}", folder.display()));
    }
    check_names("trace", &options.trace, all.iter().map(|(name, _)| name.as_str()))?;
    let chosen = |name: &String| options.trace.is_empty() || options.trace.contains(name);
    Ok(all.into_iter().filter(|(name, _)| chosen(name)).collect())
}

fn chosen_libraries(options: &Options) -> Result<Vec<Library>, String> {
    check_names("library", &options.lib, library::ALL.iter().map(|library| library.name))?;
    let chosen = |name: &str| options.lib.is_empty() || options.lib.iter().any(|lib| lib == name);
    Ok(library::ALL.iter().copied().filter(|library| chosen(library.name)).collect())
}

fn check_names<'a>(
    what: &str,
    asked: &[String],
    all: impl Iterator<Item = &'a str> + Clone,
) -> Result<(), String> {
    let Some(unknown) = asked.iter().find(|asked| !all.clone().any(|name| name == **asked)) else {
        return Ok(());
    };
    let all = all.collect::<Vec<_>>().join(", ");
    let more = if cfg!(feature = "peers") || what != "library" {
        ""
    } else {
        " (others with --features peers)"
    };
    Err(format!("there is no {what} {unknown} among {all}{more}"))
}
