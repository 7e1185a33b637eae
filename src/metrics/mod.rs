//! Numbers that judge: one file a metric, each with its source and a test against published or independently computed
//! values. In come scores, labels and patients; out go numbers with intervals. Nothing here knows of steps or files.

pub mod auroc;
pub mod bootstrap;
pub mod delong;
pub mod statistic;
pub mod sweep;
pub mod utility;
