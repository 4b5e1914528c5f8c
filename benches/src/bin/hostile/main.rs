//! What peers can do to whoever listens to them, in twice the size: does it cost more than twice as much?
//!
//! `hostile FAMILY N` prepares N of something that is as bad as it can be, and takes it in as a server would;
//! with `--prepare` it only prepares. `cargo xtask hostile` counts the instructions of both.

mod delivery;
mod documents;
mod sync;
mod types;

use clap::Parser;

/// What was prepared: taking it in says how much has come of it, which is looked at.
pub(crate) type Attack = Box<dyn FnOnce() -> usize>;

/// A way to be a nuisance.
struct Family {
    name: &'static str,
    what: &'static str,
    prepare: fn(usize) -> Attack,
}

const FAMILIES: &[Family] = &[
    Family {
        name: "at-one-place",
        what: "each of many types a letter at one place, and has seen none of the others",
        prepare: documents::at_one_place,
    },
    Family {
        name: "at-one-place-at-once",
        what: "the same, in one message",
        prepare: documents::at_one_place_at_once,
    },
    Family {
        name: "two-all-day",
        what: "two who do not see each other type at the beginning of one text",
        prepare: documents::two_all_day,
    },
    Family {
        name: "taking-turns",
        what: "two type in turns, a letter each",
        prepare: documents::taking_turns,
    },
    Family {
        name: "forks-and-merges",
        what: "two type at once, see each other, and do so again",
        prepare: documents::forks_and_merges,
    },
    Family {
        name: "typed-and-erased",
        what: "what one types is erased at once, while another types beside it",
        prepare: documents::typed_and_erased,
    },
    Family {
        name: "one-key",
        what: "each of many writes to one key of a map, and has seen none of the others",
        prepare: documents::one_key,
    },
    Family {
        name: "many-containers",
        what: "each change makes a container in a container of its own",
        prepare: documents::many_containers,
    },
    Family {
        name: "gaps",
        what: "the changes of a set come in reverse, so that each leaves a gap",
        prepare: types::gaps,
    },
    Family {
        name: "add-and-remove",
        what: "one element is added by many at once, and removed by who saw all of that",
        prepare: types::add_and_remove,
    },
    Family {
        name: "siblings",
        what: "each of many writes to one register, and has seen none of the others",
        prepare: types::siblings,
    },
    Family {
        name: "one-element-moved",
        what: "each of many moves one element of a list",
        prepare: types::one_element_moved,
    },
    Family {
        name: "one-parent",
        what: "each of many puts a node below one parent of a tree",
        prepare: types::one_parent,
    },
    Family {
        name: "in-reverse",
        what: "messages that depend on each other come in reverse",
        prepare: delivery::in_reverse,
    },
    Family {
        name: "all-for-one",
        what: "messages of many wait for one, which comes last",
        prepare: delivery::all_for_one,
    },
    Family {
        name: "beyond-the-bounds",
        what: "messages that wait for what does not exist, more than are held",
        prepare: delivery::beyond_the_bounds,
    },
    Family {
        name: "many-names",
        what: "two who have half of their writers in common meet",
        prepare: sync::many_names,
    },
    Family {
        name: "presence",
        what: "everybody says where they are, again and again",
        prepare: sync::presence,
    },
];

#[derive(Parser)]
struct Options {
    /// Which family; without it they are listed.
    family: Option<String>,
    /// How many.
    #[arg(default_value_t = 1_000)]
    count: usize,
    /// Prepares, and takes nothing in.
    #[arg(long)]
    prepare: bool,
}

fn main() {
    let options = Options::parse();
    let Some(name) = options.family else {
        FAMILIES.iter().for_each(|family| println!("{:<22} {}", family.name, family.what));
        return;
    };
    let Some(family) = FAMILIES.iter().find(|family| family.name == name) else {
        eprintln!("there is no family {name}; without a name they are listed");
        std::process::exit(2);
    };
    let attack = (family.prepare)(options.count);
    if !options.prepare {
        let come = attack();
        assert!(come >= options.count / 2, "only {come} has come of {}", options.count);
    }
}
