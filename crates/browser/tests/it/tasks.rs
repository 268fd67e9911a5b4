//! What a person at the support desk does, from the overview on, with the clicks that it takes.

mod held;
mod incident;
mod keys;
mod people;
mod phone;
mod schools;
mod service;
mod undo;
