// Writes a folder as one blob and the C++ table that finds its files in it:
//     bennu_embed_tool ns::name FOLDER OUT
// makes OUT.cpp, OUT.hpp, OUT.blob and the dependency file OUT.d. Files that would stay the same
// are not touched.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "bennu/web/compress.hpp"

namespace fs = std::filesystem;

namespace {

struct Part {
    std::size_t at = 0;
    std::size_t size = 0;
};

struct File {
    std::string path;
    Part bytes, gzip, brotli, zstd;
};

std::string read_file(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void write_if_changed(const std::string& path, const std::string& text) {
    if (fs::exists(path) && read_file(path) == text) return;
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out << text;
    if (!out.flush()) {
        std::fprintf(stderr, "cannot write %s\n", path.c_str());
        std::exit(1);
    }
}

std::uint64_t fingerprint(const std::string& bytes) {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (unsigned char c : bytes) hash = (hash ^ c) * 0x100000001b3u;
    return hash;
}

std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + "\"";
}

/// Make's syntax for a name in a dependency file.
std::string dependency(const std::string& path) {
    std::string out;
    for (char c : path) {
        if (c == ' ' || c == '#') out += '\\';
        if (c == '$') out += '$';
        out += c;
    }
    return out;
}

class Folder {
  public:
    void read(const fs::path& root) {
        if (!fs::is_directory(root)) return;
        seen_.push_back(root.string());
        std::vector<fs::path> files;
        for (fs::recursive_directory_iterator at(root), end; at != end; ++at) {
            std::string name = at->path().filename().string();
            if (name.starts_with('.') && name != ".well-known") {
                if (at->is_directory()) at.disable_recursion_pending();
                continue;
            }
            if (at->is_symlink()) continue;
            seen_.push_back(at->path().string());
            if (at->is_regular_file()) files.push_back(at->path());
        }
        std::ranges::sort(files);
        for (const fs::path& file : files)
            add(file, file.lexically_relative(root).generic_string());
    }

    const std::string& blob() const { return blob_; }
    const std::vector<std::string>& seen() const { return seen_; }

    std::string table() const {
        std::string out;
        for (const File& file : files_) {
            out += "    {" + quoted(file.path);
            for (Part part : {file.bytes, file.gzip, file.brotli, file.zstd}) {
                out += ", {bennu_blob + " + std::to_string(part.at) + ", " +
                       std::to_string(part.size) + "}";
            }
            out += "},\n";
        }
        return out;
    }

  private:
    void add(const fs::path& path, std::string name) {
        std::string bytes = read_file(path);
        File file{.path = std::move(name)};
        file.bytes = append(bytes);
        if (bennu::compressible(file.path) && bytes.size() > 256) {
            auto keep = [&](const std::string& smaller) {
                return smaller.size() < bytes.size() ? append(smaller) : Part();
            };
            file.gzip = keep(bennu::gzip_compress(bytes, bennu::Effort::best));
            file.brotli = keep(bennu::brotli_compress(bytes, bennu::Effort::best));
            file.zstd = keep(bennu::zstd_compress(bytes, bennu::Effort::best));
        }
        files_.push_back(std::move(file));
    }
    Part append(const std::string& bytes) {
        Part part{blob_.size(), bytes.size()};
        blob_ += bytes;
        return part;
    }

    std::vector<File> files_;
    std::vector<std::string> seen_;
    std::string blob_;
};

std::string header(const std::string& space, const std::string& name) {
    return "#pragma once\n\n#include \"bennu/web/embedded.hpp\"\n\nnamespace " + space +
           " {\nbennu::EmbeddedFolder " + name + "();\n}\n";
}

std::string source(const Folder& folder, const std::string& space, const std::string& name,
                   const std::string& out) {
    std::string symbol = "bennu_blob_" + name;
    std::string text = "// Contents " + std::to_string(fingerprint(folder.blob())) + "\n";
    text += "#include " + quoted(out + ".hpp") + "\n\n";
    text += "asm(R\"(\n.pushsection .rodata.bennu_blob,\"a\",@progbits\n.balign 16\n.hidden " +
            symbol + "\n.globl " + symbol + "\n" + symbol + ":\n.incbin " + quoted(out + ".blob") +
            "\n.byte 0\n.popsection\n)\");\n\n";
    text += "extern \"C\" const char " + symbol + "[];\n";
    text += "static const char* const bennu_blob = " + symbol + ";\n\n";
    text += "bennu::EmbeddedFolder " + space + "::" + name + "() {\n";
    if (folder.table().empty()) return text + "    return {};\n}\n";
    text += "    static const bennu::EmbeddedFile files[] = {\n" + folder.table() +
            "    };\n    return files;\n}\n";
    return text;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fprintf(stderr, "usage: bennu_embed_tool ns::name FOLDER OUT\n");
        return 2;
    }
    std::string qualified = argv[1];
    std::size_t colons = qualified.rfind("::");
    if (colons == std::string::npos) {
        std::fprintf(stderr, "%s: the name needs a namespace\n", argv[1]);
        return 2;
    }
    std::string space = qualified.substr(0, colons);
    std::string name = qualified.substr(colons + 2);
    std::string out = argv[3];
    fs::create_directories(fs::path(out).parent_path());

    Folder folder;
    folder.read(argv[2]);
    write_if_changed(out + ".blob", folder.blob());
    write_if_changed(out + ".hpp", header(space, name));
    write_if_changed(out + ".cpp", source(folder, space, name, out));
    // A folder that is not there yet is named too: the build looks again next time.
    std::string dependencies = dependency(out + ".cpp") + ":";
    if (folder.seen().empty()) dependencies += " " + dependency(argv[2]);
    for (const std::string& path : folder.seen()) dependencies += " \\\n  " + dependency(path);
    write_if_changed(out + ".d", dependencies + "\n");
    return 0;
}
