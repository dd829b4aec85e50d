mod appends;
mod fixture;
