mod described;
mod dynamic;
mod effects;
mod environment;
mod listeners;
mod properties;
mod settings;
mod table;
