//! Teams at work, through the engine.
