use std::sync::Arc;

use crdt_causal::reconcile::{self, Collection, Exchange, ExchangeError, Limits, Salt};

use crate::frame::is_valid_document_name;
use crate::store::{StoreError, StoreWriter};

/// How two collections of documents differ.
#[derive(Debug, Default)]
pub(super) struct Difference {
    pub(super) only_here: Vec<Arc<str>>,
    pub(super) only_there: Vec<Arc<str>>,
    pub(super) different: Vec<Arc<str>>,
    pub(super) is_complete: bool,
}

/// The side that asks.
pub(super) struct Comparison(Exchange);

impl Comparison {
    /// Begins one about all documents that are stored here. O(documents), in time and memory.
    pub(super) async fn begin(store: &StoreWriter, limits: Limits) -> Result<Self, StoreError> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).expect("the operating system has random numbers");
        Ok(Self(Exchange::new(collection(store).await?, Salt(salt), limits)))
    }

    /// The offer to send now, if one is due.
    pub(super) fn poll_offer(&mut self) -> Option<Vec<u8>> {
        self.0.poll_transmit()
    }

    /// Takes in an answer; the difference, once it is known.
    pub(super) fn handle(&mut self, answer: &[u8]) -> Result<Option<Difference>, ExchangeError> {
        self.0.handle(answer)?;
        Ok(self.0.difference().map(|difference| Difference {
            only_here: names(&difference.only_here),
            only_there: names(&difference.only_there),
            different: names(&difference.different),
            is_complete: difference.is_complete,
        }))
    }
}

/// The answer to an offer. O(documents), in time and memory.
pub(super) async fn answer(
    store: &StoreWriter,
    offer: Vec<u8>,
    limits: Limits,
) -> Result<Result<Vec<u8>, ExchangeError>, StoreError> {
    let here = collection(store).await?;
    let answer = tokio::task::spawn_blocking(move || reconcile::answer(&here, &offer, &limits));
    Ok(answer.await.unwrap_or_else(|ended| std::panic::resume_unwind(ended.into_panic())))
}

async fn collection(store: &StoreWriter) -> Result<Collection, StoreError> {
    let mut collection = Collection::new();
    let mut after: Arc<str> = "".into();
    loop {
        let page = store.documents(Arc::clone(&after), PAGE).await?;
        let Some((last, _)) = page.last() else { return Ok(collection) };
        after = Arc::clone(last);
        for (name, digest) in page {
            let [low @ .., _, _, _, _, _, _, _, _] = digest.to_bytes();
            collection.insert(name.as_bytes(), u64::from_le_bytes(low));
        }
    }
}

/// Documents that are read from the store at a time.
const PAGE: usize = 4096;

/// Those that can be names of documents.
fn names(names: &[Vec<u8>]) -> Vec<Arc<str>> {
    let texts = names.iter().filter_map(|name| std::str::from_utf8(name).ok());
    texts.filter(|name| is_valid_document_name(name)).map(Arc::from).collect()
}
