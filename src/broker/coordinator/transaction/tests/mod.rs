mod ending;
mod fencing;
mod fixture;
mod interleavings;
mod loading;
mod records;
mod time;
