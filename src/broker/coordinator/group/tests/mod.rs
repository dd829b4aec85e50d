mod fixture;
mod joining;
