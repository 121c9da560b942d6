#include "bennu/web/upload.hpp"

#include "bennu/net/file_body.hpp"
#include "bennu/net/multipart.hpp"
#include "bennu/runtime/offload.hpp"
#include "bennu/web/form_parts.hpp"
#include "bennu/web/upload_folder.hpp"

namespace bennu {

Task<Result<>> Upload::move_to(std::string target) {
    Result<> moved;
    if (file_) {
        moved = co_await offload([file = file_, target] { return file->move_to(target); });
    } else if (path.empty()) {
        auto bytes = std::make_shared<const std::string>(data);
        moved =
            co_await offload([bytes, target] { return detail::write_whole_file(target, *bytes); });
    } else {
        moved = Error(ErrorKind::conflict, "moved", "this upload was moved already");
    }
    if (!moved) co_return moved;
    file_.reset();
    data.clear();
    path = std::move(target);
    co_return Result<>();
}

Task<Result<std::string>> Upload::read(std::uint64_t limit) {
    if (size > limit)
        co_return Error(ErrorKind::too_large, "too_large", "the file is too large to read");
    if (path.empty()) co_return data;
    co_return co_await offload([file = file_, from = path, wanted = size]() -> Result<std::string> {
        auto open = net::OpenFile::open(from);
        if (!open) return std::move(open).error();
        return (*open)->read(0, wanted);
    });
}

Result<MultipartForm> read_multipart(std::string_view content_type, std::string_view body) {
    auto boundary = net::multipart_boundary(content_type);
    if (!boundary) return std::move(boundary).error();
    net::MultipartParser parser(*boundary);
    net::PartHead head;
    MultipartForm form;
    detail::FormFields fields;
    std::string data;
    while (true) {
        net::MultipartEvent event = parser.next(body, head);
        using Kind = net::MultipartEvent::Kind;
        switch (event.kind) {
            case Kind::part:
                data.clear();
                break;
            case Kind::data:
                data.append(event.data);
                break;
            case Kind::part_end:
                if (!head.filename) {
                    fields.add(head.name, data);
                } else if (!head.filename->empty() || !data.empty()) {
                    Upload& file = form.files.emplace_back();
                    file.name = head.name;
                    file.filename = *head.filename;
                    file.content_type = head.content_type;
                    file.size = data.size();
                    file.data = std::exchange(data, {});
                }
                break;
            case Kind::need_more:
                return detail::truncated_multipart();
            case Kind::error:
                return detail::multipart_error(event.code, event.message);
            case Kind::done: {
                Result<Json> read = fields.read();
                if (!read) return std::move(read).error();
                form.fields = *std::move(read);
                return form;
            }
        }
        body.remove_prefix(event.consumed);
    }
}

}  // namespace bennu
