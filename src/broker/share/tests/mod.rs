mod fixture;
mod locks;
mod manager;
mod model;
mod partition;
mod sessions;
