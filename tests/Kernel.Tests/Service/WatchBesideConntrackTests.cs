using System.Diagnostics;
using System.Text.RegularExpressions;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Kernel.Tests.Kit;

namespace ConntrackStream.Kernel.Tests.Service;

/// <summary>watch and <c>conntrack -E</c> side by side, over the same events.</summary>
public sealed partial class WatchBesideConntrackTests : IDisposable
{
    private const string LastSource = "10.0.0.9";

    private readonly KernelNamespace _space = new(track: false);
    private readonly string _directory = Directory.CreateTempSubdirectory("cs-watch-").FullName;

    private readonly List<Process> _started = [];

    public void Dispose()
    {
        foreach (Process process in _started)
        {
            if (!process.HasExited) // a failed test has not stopped it
                process.Kill();
            process.Dispose();
        }

        _space.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Theory]
    [InlineData("-E", "watch")]
    [InlineData("-E -e NEW,DESTROY -o extended,id", "watch -e NEW,DESTROY -o extended,id")]
    [InlineData("-E -e UPDATES", "watch -e UPDATE")]
    public void Prints_the_same_lines(string tool, string verb)
    {
        // A file each: a pipe's reader would have to keep up.
        Process theirs = Start("theirs", ["stdbuf", "-o0", "conntrack", .. tool.Split(' ')]);
        Process ours = Start("ours", [ServiceProcess.Program, .. verb.Split(' ')]);
        Eventually.True(() => Listeners() == 2, TimeSpan.FromSeconds(30));
        _space.Exec(
            "nft", "add table inet t; add chain inet t c { type filter hook output priority 0; }; add rule inet t c ct state new accept");
        _space.Exec("bash", "-c", "echo x > /dev/udp/127.0.0.1/5001; echo x > /dev/udp/::1/5002; ! echo x > /dev/tcp/127.0.0.1/5003");
        _space.Exec(
            "conntrack", "-I", "-p", "tcp", "-s", "10.0.0.1", "-d", "10.0.0.2", "--sport", "1", "--dport", "2", "--state", "ESTABLISHED",
            "-t", "1000");
        _space.Exec(
            "conntrack", "-I", "-p", "udp", "-s", "10.0.0.1", "-d", "10.0.0.2", "--sport", "1", "--dport", "2", "-t", "1000", "-w", "3");
        _space.Exec("conntrack", "-U", "-p", "tcp", "-s", "10.0.0.1", "-m", "7");
        _space.Exec("conntrack", "-F");
        // SIGTERM ends conntrack at once, with whatever its socket still holds:
        // both have printed all when they print an event of this last flow.
        _space.Exec(
            "conntrack", "-I", "-p", "tcp", "-s", LastSource, "-d", "10.0.0.2", "--sport", "1", "--dport", "2", "--state", "ESTABLISHED",
            "-t", "1000");
        _space.Exec("conntrack", "-U", "-p", "tcp", "-s", LastSource, "-m", "7");
        Eventually.True(() => Lines("theirs").Any(IsLast) && Lines("ours").Any(IsLast), TimeSpan.FromSeconds(30));
        List<string> expected = Stop(theirs, "theirs"), actual = Stop(ours, "ours");
        Assert.NotEmpty(expected);
        Assert.Equal(expected, actual);
    }

    [Fact]
    public void Says_at_the_end_how_many_there_were()
    {
        Process ours = Start("ours", [ServiceProcess.Program, "watch", "-e", "NEW", "-p", "tcp", "-o", "json"]);
        Eventually.True(() => Listeners() == 1, TimeSpan.FromSeconds(30));
        _space.Exec(
            "conntrack", "-I", "-p", "tcp", "-s", "10.0.0.1", "-d", "10.0.0.2", "--sport", "1", "--dport", "9", "-t", "9",
            "--state", "CLOSE");
        _space.Exec("conntrack", "-I", "-p", "udp", "-s", "10.0.0.1", "-d", "10.0.0.2", "--sport", "2", "--dport", "9", "-t", "9");
        _space.Exec(
            "conntrack", "-I", "-p", "tcp", "-s", "10.0.0.1", "-d", "10.0.0.2", "--sport", "3", "--dport", "9", "-t", "9",
            "--state", "CLOSE");
        List<string> lines = Stop(ours, "ours");
        Assert.Equal(2, lines.Count);
        Assert.All(lines, static line => Assert.StartsWith("{\"v\":1,", line, StringComparison.Ordinal));
        Assert.Equal("conntrack-stream: 2 flow events have been shown.\n", File.ReadAllText($"{_directory}/ours.err"));
    }

    private Process Start(string name, string[] command)
    {
        string[] shell =
            ["netns", "exec", _space.Name, "bash", "-c", $"exec \"$@\" > {_directory}/{name} 2> {_directory}/{name}.err", "-", .. command];
        Process process = Process.Start("ip", shell);
        _started.Add(process);
        return process;
    }

    private List<string> Stop(Process process, string name)
    {
        using Process kill = Process.Start("kill", ["-TERM", $"{process.Id}"]);
        Assert.True(process.WaitForExit(TimeSpan.FromSeconds(30)));
        return [.. Lines(name).Where(static line => !IsLast(line)).Select(static line => Varying().Replace(line, ""))];
    }

    private IEnumerable<string> Lines(string name) => File.ReadLines($"{_directory}/{name}");

    private static bool IsLast(string line) => line.Contains($" src={LastSource} ", StringComparison.Ordinal);

    /// <summary>Netfilter sockets that have joined a group: sk Eth Pid Groups …</summary>
    private int Listeners()
    {
        using NetworkNamespace opened = NetworkNamespace.OpenName(_space.Name);
        return opened.Run(static () => File.ReadAllLines("/proc/thread-self/net/netlink"))
            .Select(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Count(static columns => columns[1] == "12" && columns[3] != "00000000");
    }

    /// <summary>Whether the program behind an event still ran when it was looked up, which is a race for both.</summary>
    [GeneratedRegex(" progname=.*$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Varying();
}
