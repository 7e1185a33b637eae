//! Attention (Vaswani et al. 2017, section 3.2): for each pixel of the query, the mean of the value's pixels, weighted by the
//! softmax over products of query and key. No weights: queries, keys and values are made by `conv` or `dense` before.

use super::super::graph::NodeId;
use super::super::lowering::Lowering;
use super::super::program::{LayerArguments, Shape, ShapeError};
use super::softmax::softmax;
use super::{Layer, input, maps};

pub struct Attention;

impl Layer for Attention {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn shape(&self, inputs: &[&Shape], arguments: &LayerArguments) -> Result<Shape, ShapeError> {
        let [query, key, value] = inputs else { return Err(ShapeError::new("a query, a key and a value are needed")) };
        let ([width, rows, columns], [key_width, key_rows, key_columns]) = (maps(query)?, maps(key)?);
        let [channels, value_rows, value_columns] = maps(value)?;
        if width != key_width {
            return Err(ShapeError {
                message: format!("a query of {width} channels and a key of {key_width} cannot be compared"),
                help: Some("make both with as many filters".into()),
            });
        }
        if [key_rows, key_columns] != [value_rows, value_columns] {
            return Err(ShapeError::new(format!(
                "there are {key_rows}×{key_columns} keys, but {value_rows}×{value_columns} values"
            )));
        }
        let heads = arguments.size("heads")?.max(1);
        if width % heads != 0 || channels % heads != 0 {
            return Err(ShapeError::new(format!(
                "{heads} heads cannot share {width} channels of the query and {channels} channels of the value equally"
            )));
        }
        Ok(vec![channels, rows, columns])
    }

    fn lower(&self, lowering: &mut Lowering<'_>, inputs: &[NodeId], arguments: &LayerArguments) -> Result<NodeId, ShapeError> {
        let (query, key, value) = (input(inputs, 0)?, input(inputs, 1)?, input(inputs, 2)?);
        let (heads, scaled) = (arguments.size("heads")?.max(1), arguments.flag("scaled")?);
        let query_shape = lowering.shape(query);
        let mut output = query_shape.clone();
        if let (Some(channels), Some(given)) = (output.get_mut(1), lowering.shape(value).get(1)) {
            *channels = *given;
        }
        let pairs = lowering.batch * heads;
        let [query, key, value] = [query, key, value].map(|x| {
            let shape = lowering.shape(x);
            let channels = shape.get(1).copied().unwrap_or(0) / heads;
            lowering.graph.reshape(x, &[pairs, channels, shape.iter().skip(2).product()])
        });
        let width = query_shape.get(1).copied().unwrap_or(0) / heads;
        let graph = &mut *lowering.graph;
        let products = graph.matmul(query, key, true, false);
        let products = if scaled { graph.scale(products, 1.0 / (width.max(1) as f64).sqrt()) } else { products };
        let shares = softmax(graph, products, 2);
        let seen = graph.matmul(value, shares, false, true);
        Ok(graph.reshape(seen, &output))
    }
}

#[cfg(test)]
mod tests {
    use super::super::trial::{Trial, assert_close};

    fn attention(query: &[usize], key: &[usize], value: &[usize], heads: i64) -> Trial {
        Trial::new("attention", &[query, key, value]).size("heads", heads).flag("scaled", true)
    }

    #[test]
    fn pixels_see_the_values_whose_keys_are_like_their_query() {
        let mut trial = attention(&[4, 1, 1], &[4, 1, 2], &[1, 1, 2], 1);
        trial.batch = 1;
        // Products 2 · ln 3 and 0, over the root of 4 channels: shares 3/4 and 1/4.
        let key = [1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        let found = trial.run(&[&[3f64.ln(), 3f64.ln(), 5.0, 7.0], &key, &[100.0, 200.0]], &[]);
        assert_close(&found, &[125.0]);
        // Two heads: the first sees both values alike, the second by its own channels.
        let mut heads = attention(&[2, 1, 1], &[2, 1, 2], &[2, 1, 2], 2);
        heads.batch = 1;
        let found = heads.run(&[&[0.0, 3f64.ln()], &[9.0, 0.0, 1.0, 0.0], &[100.0, 200.0, 100.0, 200.0]], &[]);
        assert_close(&found, &[150.0, 125.0]);
    }

    #[test]
    fn its_derivatives_are_those_of_finite_differences() {
        attention(&[4, 2, 2], &[4, 1, 3], &[2, 1, 3], 2).check_gradient();
        let plain = Trial::new("attention", &[&[2, 1, 2], &[2, 2, 1], &[3, 2, 1]]).size("heads", 1).flag("scaled", false);
        plain.check_gradient();
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let refusal = attention(&[4, 2, 2], &[3, 2, 2], &[4, 2, 2], 1).refusal();
        assert_eq!(refusal, "a query of 4 channels and a key of 3 cannot be compared");
        assert_eq!(attention(&[4, 2, 2], &[4, 1, 1], &[4, 2, 2], 1).refusal(), "there are 1×1 keys, but 2×2 values");
        assert!(attention(&[4, 2, 2], &[4, 2, 2], &[3, 2, 2], 2).refusal().starts_with("2 heads cannot share 4 channels"));
    }
}
