//! The model and its tokenizer, from the bytes in the binary to a vector.

use std::sync::{Arc, OnceLock};

use rten::{Model, ModelOptions, NodeId, RunOptions, ThreadPool};
use rten_tensor::NdTensor;
use rten_tensor::prelude::*;
use tokenizers::{Tokenizer, TruncationParams};

use crate::{DIMENSIONS, Embedding, Error, MAX_TOKENS};

static MODEL: &[u8] = include_bytes!("../models/all-minilm-l6-v2/model-int8.onnx");
static TOKENIZER: &[u8] = include_bytes!("../models/all-minilm-l6-v2/tokenizer.json");

/// The model, ready to run. Threads share one.
pub(crate) struct Engine {
    model: Model,
    tokenizer: Tokenizer,
    /// `input_ids`, `attention_mask` and `token_type_ids`, in this order.
    inputs: [NodeId; 3],
    output: NodeId,
}

/// One thread to compute on. The engine would use all cores for each text otherwise, which is slower than several texts side by side.
#[derive(Clone)]
pub(crate) struct Core(Arc<ThreadPool>);

impl Core {
    /// Starts the thread and lets it do something first.
    pub(crate) fn new(first: impl FnOnce() + Send) -> Self {
        let pool = ThreadPool::with_num_threads(1);
        pool.run(first);
        Self(Arc::new(pool))
    }
}

impl Engine {
    /// The one of this process. The first caller loads it, which takes some tenths of a second; others wait meanwhile.
    pub(crate) fn shared() -> Result<&'static Self, Error> {
        static SHARED: OnceLock<Result<Engine, Error>> = OnceLock::new();
        SHARED.get_or_init(Self::load).as_ref().map_err(Clone::clone)
    }

    fn load() -> Result<Self, Error> {
        let mut tokenizer = Tokenizer::from_bytes(TOKENIZER).map_err(failed)?;
        let truncation = TruncationParams { max_length: MAX_TOKENS, ..TruncationParams::default() };
        tokenizer.with_truncation(Some(truncation)).map_err(failed)?;
        tokenizer.with_padding(None);
        // Whoever writes "[SEP]" into a text means these letters, not the mark of the model.
        tokenizer.set_encode_special_tokens(true);

        let model = ModelOptions::with_all_ops().prepack_weights(true).load_static_slice(MODEL).map_err(failed)?;
        let node = |name: &str| model.node_id(name).map_err(failed);
        let inputs = [node("input_ids")?, node("attention_mask")?, node("token_type_ids")?];
        let output = node("last_hidden_state")?;
        Ok(Self { model, tokenizer, inputs, output })
    }

    /// The vector of a text.
    pub(crate) fn embed(&self, text: &str, core: &Core) -> Result<Embedding, Error> {
        let encoding = self.tokenizer.encode_fast(text, true).map_err(failed)?;
        let tokens = encoding.len();
        // The vocabulary has 30,522 entries.
        let ids: Vec<i32> = encoding.get_ids().iter().map(|id| i32::try_from(*id).unwrap_or_default()).collect();
        let of = |values: Vec<i32>| NdTensor::from_data([1, tokens], values);
        let [input, mask, types] = self.inputs;
        let values = vec![
            (input, of(ids).into()),
            // One text at a time, without padding: all of it counts.
            (mask, of(vec![1; tokens]).into()),
            (types, of(vec![0; tokens]).into()),
        ];
        let options = RunOptions::default().with_thread_pool(Some(core.0.clone()));
        let [hidden] = self.model.run_n(values, [self.output], Some(options)).map_err(failed)?;
        let hidden: NdTensor<f32, 3> = hidden.try_into().map_err(failed)?;
        if hidden.shape() != [1, tokens, DIMENSIONS] {
            return Err(Error::Failed(format!("an answer of the shape {:?}", hidden.shape())));
        }
        let vector = direction(hidden.iter().copied())?;
        Ok(Embedding { vector, tokens })
    }
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Failed(error.to_string())
}

/// The sum of rows of [`DIMENSIONS`] numbers, scaled to the length 1. It points where their mean does.
fn direction(numbers: impl Iterator<Item = f32>) -> Result<Box<[f32; DIMENSIONS]>, Error> {
    let mut sum = Box::new([0f32; DIMENSIONS]);
    for (n, number) in numbers.enumerate() {
        sum[n % DIMENSIONS] += number;
    }
    let length = sum.iter().map(|one| one * one).sum::<f32>().sqrt();
    if !(length.is_finite() && length > 0.0) {
        return Err(Error::Failed("a vector without a direction".into()));
    }
    for one in sum.iter_mut() {
        *one /= length;
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_added_up_and_scaled() {
        let rows = (0..3 * DIMENSIONS).map(|n| if n % DIMENSIONS < 4 { 2.0 } else { 0.0 });
        let vector = direction(rows).expect("a direction");
        assert_eq!((vector[0], vector[3], vector[4]), (0.5, 0.5, 0.0));
        for nothing in [0.0, f32::NAN, f32::INFINITY] {
            assert!(direction(std::iter::repeat_n(nothing, DIMENSIONS)).is_err(), "{nothing}");
        }
    }
}
