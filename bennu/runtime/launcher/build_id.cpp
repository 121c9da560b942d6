#include "bennu/runtime/launcher/build_id.hpp"

#include <elf.h>
#include <link.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <string>

namespace bennu {

namespace {

std::string hexadecimal(const unsigned char* bytes, std::size_t count) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
        text += digits[bytes[i] >> 4];
        text += digits[bytes[i] & 15];
    }
    return text;
}

/// The build id among the notes of one segment.
std::string find_note(const unsigned char* at, const unsigned char* end) {
    const auto padded = [](std::size_t size) { return (size + 3) & ~std::size_t{3}; };
    ElfW(Nhdr) note;
    while (at + sizeof(note) <= end) {
        std::memcpy(&note, at, sizeof(note));
        const unsigned char* name = at + sizeof(note);
        const unsigned char* content = name + padded(note.n_namesz);
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
            std::memcmp(name, "GNU", 4) == 0) {
            return hexadecimal(content, note.n_descsz);
        }
        at = content + padded(note.n_descsz);
    }
    return {};
}

/// Called for each loaded object; the program itself comes first.
int look(dl_phdr_info* object, std::size_t, void* found) {
    auto& id = *static_cast<std::string*>(found);
    for (int i = 0; i < object->dlpi_phnum && id.empty(); ++i) {
        const ElfW(Phdr)& segment = object->dlpi_phdr[i];
        if (segment.p_type != PT_NOTE) continue;
        const auto* begin =
            reinterpret_cast<const unsigned char*>(object->dlpi_addr + segment.p_vaddr);
        id = find_note(begin, begin + segment.p_memsz);
    }
    return 1;
}

}  // namespace

const char* build_id() {
    static const std::string id = [] {
        std::string found;
        ::dl_iterate_phdr(&look, &found);
        return found;
    }();
    return id.c_str();
}

}  // namespace bennu
