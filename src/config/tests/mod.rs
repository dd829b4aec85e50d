mod described;
mod dynamic;
mod environment;
mod listeners;
mod properties;
mod settings;
mod table;
