mod fixture;
mod records;
mod state;
