mod fixture;
mod locks;
mod model;
mod partition;
mod sessions;
