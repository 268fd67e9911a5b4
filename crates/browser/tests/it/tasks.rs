//! What a person at the support desk does, from the overview on, with the clicks that it takes.

mod held;
mod incident;
mod keys;
mod phone;
mod service;
mod undo;
mod people;
