#pragma once

#include <cstdint>
#include <string>

namespace bennu {

/// The function at an address of this program.
struct SymbolName {
    std::string name;         ///< demangled; never empty
    bool of_program = false;  ///< not of a shared library
    /// Whether it is the standard library's code, compiled into the program.
    bool of_library_code() const { return name.starts_with("std::") || name.starts_with("__"); }
};

/// Reads the program's own symbol table, so that functions need not be exported to be named; a
/// program without one is named by exported symbols and offsets. Any thread; not for signal
/// handlers.
SymbolName symbol_at(std::uintptr_t address);
/// Reads the symbol table now, which takes some milliseconds, and not at the first look-up.
void load_symbols();

}  // namespace bennu
