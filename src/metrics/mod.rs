//! (stage metrics)
