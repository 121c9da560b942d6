#include "bennu/runtime/simulation/failure_page.hpp"

#include <filesystem>
#include <fstream>

#include "bennu/base/json.hpp"
#include "bennu/runtime/simulation/replay.hpp"

namespace bennu::detail {

namespace {

Json microseconds(Duration duration) {
    return duration.count() < 0 ? Json() : Json(static_cast<double>(duration.count()) / 1e3);
}

const char* name_of(TraceEvent::Kind kind) {
    switch (kind) {
        case TraceEvent::Kind::message:
            return "message";
        case TraceEvent::Kind::answer:
            return "answer";
        case TraceEvent::Kind::spawn:
            return "spawn";
        case TraceEvent::Kind::exit:
            return "exit";
        case TraceEvent::Kind::fault:
            return "fault";
    }
    return "";
}

Json json_of(const TraceEvent& event) {
    Json json = Json::object(
        {{"kind", name_of(event.kind)}, {"sent", microseconds(event.sent)}, {"text", event.text}});
    if (event.arrived.count() >= 0) json.set("arrived", microseconds(event.arrived));
    if (event.ran.count() >= 0) json.set("ran", microseconds(event.ran));
    if (event.from) json.set("from", event.from.to_string());
    if (event.to) json.set("to", event.to.to_string());
    if (event.by_timer) json.set("timer", true);
    if (event.lost) json.set("lost", true);
    return json;
}

Json json_of(const SimOutcome& run) {
    Json json = Json::object({{"hung", run.hung},
                              {"status", run.status},
                              {"time", microseconds(run.virtual_time)},
                              {"processes", Json::object()},
                              {"events", Json::array()}});
    if (!run.trace) return json;
    json.set("forgotten", run.trace->forgotten());
    for (const auto& [pid, process] : run.trace->participants()) {
        json.find("processes")
            ->set(pid.to_string(), Json::object({{"type", process.type},
                                                 {"name", process.name},
                                                 {"started", microseconds(process.started)},
                                                 {"ended", microseconds(process.ended)}}));
    }
    for (const TraceEvent& event : run.trace->events())
        json.find("events")->push_back(json_of(event));
    return json;
}

/// A file's name of what came from anywhere.
std::string file_name(const SimFailure& failure) {
    std::string name = failure.suite + "." + failure.name + "." + std::to_string(failure.seed);
    for (char& c : name) {
        if (!std::isalnum(static_cast<unsigned char>(c)) && c != '.' && c != '_') c = '-';
    }
    return name + ".html";
}

}  // namespace

std::string failure_page(const FailurePage& page) {
    Json json = Json::object({{"test", page.failure.suite + "." + page.failure.name},
                              {"seed", std::to_string(page.failure.seed)},
                              {"message", page.failure.message},
                              {"replay", page.replay},
                              {"unrepeated", page.unrepeated},
                              {"faults", Json::array()},
                              {"runs", Json::array()}});
    for (const SimFault& fault : page.faults) json.find("faults")->push_back(fault.describe());
    for (const SimOutcome& run : page.runs) json.find("runs")->push_back(json_of(run));
    std::string data;
    for (char c : to_json(json)) {
        // Nothing in it ends the script that it stands in.
        if (c == '<') {
            data += "\\u003c";
        } else {
            data += c;
        }
    }
    std::string html = failure_page_template;
    std::string_view place = "@data@";
    return html.replace(html.find(place), place.size(), data);
}

Result<std::string> write_failure_page(const FailurePage& page) {
    std::filesystem::path folder = failure_pages_folder();
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    std::filesystem::path path = folder / file_name(page.failure);
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << failure_page(page);
    file.close();
    if (!file) return Error(ErrorKind::io, "not_written", path.string());
    return from_source_root(std::filesystem::absolute(path, failed));
}

}  // namespace bennu::detail
