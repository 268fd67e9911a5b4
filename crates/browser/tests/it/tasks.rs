//! What a person at the support desk does, from the overview on, with the clicks that it takes.

mod incident;
mod keys;
mod phone;
mod schools;
mod service;
