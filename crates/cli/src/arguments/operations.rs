use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Webhooks {
    /// List events, newest first.
    List {
        /// How many.
        #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Alerts {
    /// List open alerts, newest first.
    List {
        /// Those that are over as well.
        #[arg(long)]
        all: bool,
        /// How many.
        #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}
