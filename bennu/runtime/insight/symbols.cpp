#include "bennu/runtime/insight/symbols.hpp"

#include <cxxabi.h>
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <vector>

namespace bennu {

namespace {

std::string demangled(const char* name) {
    int status = 0;
    std::unique_ptr<char, void (*)(void*)> text(
        abi::__cxa_demangle(name, nullptr, nullptr, &status), &std::free);
    return status == 0 ? std::string(text.get()) : std::string(name);
}

/// The functions in the symbol table of the program's file, which stays mapped.
class ProgramSymbols {
  public:
    ProgramSymbols() {
        ::dl_iterate_phdr(
            [](dl_phdr_info* info, std::size_t, void* self) {
                // The first object is the program itself.
                auto* symbols = static_cast<ProgramSymbols*>(self);
                symbols->base_ = info->dlpi_addr;
                for (int i = 0; i < info->dlpi_phnum; ++i) {
                    const auto& part = info->dlpi_phdr[i];
                    if (part.p_type == PT_LOAD)
                        symbols->end_ = std::max(symbols->end_, part.p_vaddr + part.p_memsz);
                }
                return 1;
            },
            this);
        int file = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        if (file < 0) return;
        struct stat about{};
        if (::fstat(file, &about) == 0) {
            size_ = static_cast<std::size_t>(about.st_size);
            void* at = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
            if (at != MAP_FAILED) image_ = static_cast<const std::byte*>(at);
        }
        ::close(file);
        if (image_) read();
    }

    bool contains(std::uintptr_t address) const {
        return address >= base_ && address - base_ < end_;
    }
    const char* find(std::uintptr_t address) const {
        std::uint64_t offset = address - base_;
        auto after = std::upper_bound(
            functions_.begin(), functions_.end(), offset,
            [](std::uint64_t value, const Function& f) { return value < f.start; });
        if (after == functions_.begin()) return nullptr;
        const Function& found = *std::prev(after);
        return offset < found.start + std::max<std::uint64_t>(found.size, 1) ? found.name : nullptr;
    }

  private:
    struct Function {
        std::uint64_t start, size;
        const char* name;
    };

    template <typename T>
    const T* at(std::uint64_t offset, std::uint64_t count) const {
        if (offset > size_ || count * sizeof(T) > size_ - offset) return nullptr;
        return reinterpret_cast<const T*>(image_ + offset);
    }

    void read() {
        const auto* header = at<ElfW(Ehdr)>(0, 1);
        if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return;
        const auto* sections = at<ElfW(Shdr)>(header->e_shoff, header->e_shnum);
        if (!sections) return;
        for (unsigned i = 0; i < header->e_shnum; ++i) {
            const auto& table = sections[i];
            if (table.sh_type != SHT_SYMTAB || table.sh_link >= header->e_shnum) continue;
            const auto& names = sections[table.sh_link];
            std::uint64_t count = table.sh_size / sizeof(ElfW(Sym));
            const auto* symbols = at<ElfW(Sym)>(table.sh_offset, count);
            const char* text = at<char>(names.sh_offset, names.sh_size);
            if (!symbols || !text) continue;
            for (std::uint64_t s = 0; s < count; ++s) {
                const auto& symbol = symbols[s];
                if (ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && symbol.st_value != 0 &&
                    symbol.st_name < names.sh_size)
                    functions_.push_back({symbol.st_value, symbol.st_size, text + symbol.st_name});
            }
        }
        std::sort(functions_.begin(), functions_.end(),
                  [](const Function& a, const Function& b) { return a.start < b.start; });
    }

    std::uintptr_t base_ = 0, end_ = 0;
    const std::byte* image_ = nullptr;
    std::size_t size_ = 0;
    std::vector<Function> functions_;
};

}  // namespace

namespace {

const ProgramSymbols& program_symbols() {
    static const ProgramSymbols symbols;
    return symbols;
}

}  // namespace

void load_symbols() {
    static_cast<void>(program_symbols());
}

SymbolName symbol_at(std::uintptr_t address) {
    const ProgramSymbols& program = program_symbols();
    SymbolName symbol;
    symbol.of_program = program.contains(address);
    if (const char* name = symbol.of_program ? program.find(address) : nullptr) {
        symbol.name = demangled(name);
        return symbol;
    }
    Dl_info info{};
    if (::dladdr(reinterpret_cast<void*>(address), &info) != 0 && info.dli_sname) {
        symbol.name = demangled(info.dli_sname);
    } else {
        auto base = reinterpret_cast<std::uintptr_t>(info.dli_fbase);
        symbol.name =
            fmt::format("{}+{:#x}", info.dli_fname ? info.dli_fname : "?", address - base);
    }
    return symbol;
}

}  // namespace bennu
