// Options that several subcommands have.
#pragma once
#include "hayate/hayate.h"
#include "table.h"

namespace hayate::cli {

std::vector<std::string> rung_names();

void add_model(Table, Options&);         // which model: -m and what replaces its parts
void add_replacements(Table, Options&);  // only the latter
void add_tiny_decoder(Table, Options&);  // likewise
void add_machine(Table, Options&);       // how it runs: rung, device
void add_size(Table, int& width, int& height);
void add_sampler(Table, Request&);        // scheduler and spacing
void add_methods(Table, Request&);       // less work a picture: DeepCache, guidance in some steps only
void add_json(Table, const std::string& help, bool& json);

}  // namespace hayate::cli
