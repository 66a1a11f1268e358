// meander-run in a process of its own, which can be killed.
#pragma once
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <QtGlobal>
#include <string>
#include <vector>

#include "engine/cli/cli.h"

namespace meander::test {

// A command in a process of its own, whose output is read through a pipe.
struct Command {
    pid_t pid = 0;
    int output = -1;

    // `mostBytes` of a file it writes: a disk that is full beyond; 0: no limit.
    // `withErrors`: what it says to a person comes through the pipe too.
    explicit Command(std::vector<std::string> arguments, rlim_t mostBytes = 0, bool withErrors = false) {
        int ends[2];
        if (::pipe(ends) != 0) qFatal("no pipe");
        pid = ::fork();
        if (pid == 0) {
            ::dup2(ends[1], 1);
            if (withErrors) ::dup2(ends[1], 2);
            ::close(ends[0]);
            if (mostBytes > 0) {
                ::signal(SIGXFSZ, SIG_IGN);
                const rlimit limit{mostBytes, mostBytes};
                ::setrlimit(RLIMIT_FSIZE, &limit);
            }
            arguments.insert(arguments.begin(), "meander-run");
            std::vector<char*> argv;
            for (auto& a : arguments) argv.push_back(a.data());
            ::_exit(cli::run(int(argv.size()), argv.data()));
        }
        ::close(ends[1]);
        output = ends[0];
    }
    std::string read() const {
        std::string text;
        char buffer[4096];
        for (ssize_t n; (n = ::read(output, buffer, sizeof buffer)) > 0;) text.append(buffer, std::size_t(n));
        ::close(output);
        return text;
    }
    int wait() const {
        int status = 0;
        ::waitpid(pid, &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
};

}  // namespace meander::test
