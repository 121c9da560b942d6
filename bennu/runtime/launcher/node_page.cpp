#include "bennu/runtime/launcher/node_page.hpp"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace bennu {

void SharedText::set(std::string_view text) {
    text = text.substr(0, sizeof(words_) - 1);
    for (std::size_t i = 0; i < words_.size(); ++i) {
        std::uint64_t word = 0;
        const std::size_t at = i * sizeof(word);
        if (at < text.size()) {
            std::memcpy(&word, text.data() + at, std::min(sizeof(word), text.size() - at));
        }
        words_[i].store(word, std::memory_order_relaxed);
    }
}

std::string SharedText::get() const {
    std::array<char, sizeof(words_)> bytes{};
    for (std::size_t i = 0; i < words_.size(); ++i) {
        const std::uint64_t word = words_[i].load(std::memory_order_relaxed);
        std::memcpy(bytes.data() + i * sizeof(word), &word, sizeof(word));
    }
    bytes.back() = '\0';
    return bytes.data();
}

int make_node_page() {
    int fd = ::memfd_create("node-page", MFD_CLOEXEC);
    if (fd < 0) return -1;
    if (::ftruncate(fd, sizeof(NodePage)) != 0) {
        ::close(fd);
        return -1;
    }
    std::uint32_t version = NodePage::current_version;
    if (::pwrite(fd, &version, sizeof(version), 0) != sizeof(version)) {
        ::close(fd);
        return -1;
    }
    return fd;
}

NodePage* map_node_page(int fd) {
    struct stat file{};
    if (::fstat(fd, &file) != 0 || file.st_size != sizeof(NodePage)) return nullptr;
    void* memory = ::mmap(nullptr, sizeof(NodePage), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) return nullptr;
    auto* page = static_cast<NodePage*>(memory);
    if (page->version.load() == NodePage::current_version) return page;
    unmap_node_page(page);
    return nullptr;
}

void unmap_node_page(NodePage* page) {
    if (page) ::munmap(page, sizeof(NodePage));
}

}  // namespace bennu
