using System.Globalization;
using System.Threading.Channels;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Service.Verbs.Top;
using ConntrackStream.Tests;

namespace ConntrackStream.Kernel.Tests.Service;

/// <summary>top in a terminal of tmux, over entries that conntrack makes.</summary>
public sealed class TopVerbTests : IDisposable
{
    private readonly KernelNamespace _space = new(track: false);
    private readonly string _terminal = $"cs-top-{Environment.ProcessId}";
    private readonly string _directory = Directory.CreateTempSubdirectory("cs-top-").FullName;
    private string _before = ""; // the program: a wrapper of it

    public TopVerbTests() => Requirements.Tool("tmux");

    public void Dispose()
    {
        ToolRun.Finish(ToolRun.Start("tmux", ["-L", _terminal, "kill-server"]));
        _space.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public void It_shows_filters_and_gives_the_terminal_back()
    {
        for (int port = 1; port <= 3; port++)
            Entry("10.9.0.1", "10.9.0.2", port);
        Entry("10.9.0.7", "10.9.0.8", 443);
        Start();
        WaitFor(screen => screen.Contains("10.9.0.7:999", StringComparison.Ordinal));
        Assert.Contains("table 4 of ", Screen(), StringComparison.Ordinal);

        Keys("2");
        WaitFor(static screen => Line(screen, "10.9.0.1 ") is { } line && line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1] == "3");
        Keys("1", "/");
        Type("--dport 443");
        Keys("Enter");
        WaitFor(static screen => screen.Contains("--dport 443: 1", StringComparison.Ordinal)
            && !screen.Contains("10.9.0.1", StringComparison.Ordinal));

        Entry("10.9.0.9", "10.9.0.8", 443);
        WaitFor(static screen => screen.Contains("10.9.0.9:999", StringComparison.Ordinal));

        Keys("q");
        WaitFor(static screen => screen.Contains("exit code 0", StringComparison.Ordinal)
            && !screen.Contains("10.9.0", StringComparison.Ordinal));
        Assert.Equal("1", Tmux("display-message", "-p", "#{cursor_flag}").Trim());
        Type("stty -a | grep -o -- '-*icanon\\|-*echo '");
        Keys("Enter");
        WaitFor(static screen => screen.Contains("\nicanon\necho", StringComparison.Ordinal));
    }

    [Fact]
    public void A_table_that_it_may_not_read_ends_it_with_the_terminal_given_back_and_the_reason_on_it()
    {
        _before = "setpriv --bounding-set=-net_admin ";
        Start();
        WaitFor(static screen => screen.Contains("exit code 3", StringComparison.Ordinal)
            && screen.Contains("EPERM", StringComparison.Ordinal) && !screen.Contains("every 500 ms", StringComparison.Ordinal));
        Assert.Equal("1", Tmux("display-message", "-p", "#{cursor_flag}").Trim());
    }

    [Fact]
    public void A_service_that_is_named_and_not_there_ends_it()
    {
        Start("--socket", $"{_directory}/none.sock");
        WaitFor(static screen => screen.Contains("exit code 1", StringComparison.Ordinal)
            && screen.Contains("no service answers on", StringComparison.Ordinal));
    }

    [Fact]
    public void Without_a_service_new_flows_are_counted_by_a_view_of_its_own_that_ends_with_it()
    {
        Start();
        WaitFor(static screen => screen.Contains("new 0/s  ended 0/s", StringComparison.Ordinal));
        Assert.Equal("1", EventSockets());
        int port = 0;
        WaitFor(screen =>
        {
            Entry("10.9.0.1", "10.9.0.2", ++port);
            return Line(screen, "new ") is { } line && !line.StartsWith("new 0/s", StringComparison.Ordinal);
        });
        Keys("q");
        WaitFor(static screen => screen.Contains("exit code 0", StringComparison.Ordinal));
        Assert.Equal("0", EventSockets());
    }

    [Fact]
    public async Task Paused_it_leaves_the_table_alone()
    {
        Channel<TopMessage> messages = Channel.CreateBounded<TopMessage>(64);
        using NetworkNamespace space = NetworkNamespace.Open(_space.Name);
        CountingTime time = new();
        TopFeed feed = new(space, messages.Writer, time)
        {
            Wish = new TopWish(FlowFilter.All, TopSort.Rate, TimeSpan.FromMilliseconds(1), IsPaused: true),
        };
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        Task reading = Task.Run(() => feed.ReadTablesAsync(end.Token), CancellationToken.None);
        await Eventually.TrueAsync(() => time.Looks > 50);
        Assert.False(messages.Reader.TryRead(out _));
        feed.Wish = feed.Wish with { IsPaused = false };
        feed.Look();
        Assert.IsType<TableRead>(await messages.Reader.ReadAsync(end.Token));
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
    }

    [Theory]
    [InlineData("C-c")]
    [InlineData("SIGTERM")]
    public void A_signal_ends_it_with_the_terminal_given_back(string signal)
    {
        Start();
        WaitFor(static screen => screen.Contains("no flow is in the table", StringComparison.Ordinal));
        if (signal == "C-c")
            Keys("C-c");
        else
            ToolRun.Output("kill", [File.ReadAllText($"{_directory}/pid").Trim()]);
        WaitFor(static screen => screen.Contains("exit code 0", StringComparison.Ordinal)
            && !screen.Contains("conntrack-stream top", StringComparison.Ordinal));
    }

    [Fact]
    public async Task New_and_ended_flows_come_from_the_running_service_of_the_namespace()
    {
        using ServiceProcess service = await ServiceProcess.StartAsync(
            _space.Name, _directory, "--set", $"FlowLog:Path={_directory}/flows.ndjson");
        Start("--socket", $"{_directory}/api.sock");
        WaitFor(static screen => screen.Contains("new 0/s  ended 0/s", StringComparison.Ordinal));
        Assert.Equal("1", EventSockets()); // the service's; of its own it has none
        int port = 0;
        WaitFor(screen =>
        {
            Entry("10.9.0.1", "10.9.0.2", ++port);
            return Line(screen, "new ") is { } line && !line.StartsWith("new 0/s", StringComparison.Ordinal);
        });
        Tmux("resize-window", "-x", "160", "-y", "30");
        WaitFor(static screen => screen.Contains("translated", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Without_a_terminal_it_says_what_to_use_instead()
    {
        (int code, _, string error) = await ServiceProcess.RunAsync("top", "--netns", _space.Name);
        Assert.Equal(2, code);
        Assert.Contains("top needs a terminal", error, StringComparison.Ordinal);
    }

    // Sockets of NETLINK_NETFILTER (12) with multicast groups.
    private string EventSockets() => _space.Run(static () => File.ReadLines("/proc/thread-self/net/netlink").Count(static line =>
        line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, "12", _, var groups, ..] && groups.Trim('0').Length > 0))
        .ToString(CultureInfo.InvariantCulture);

    private void Start(params string[] more)
    {
        string command = $"echo $$ >{_directory}/pid; exec {_before}{ServiceProcess.Program} top --netns {_space.Name} --interval 500ms "
            + string.Join(' ', more);
        Tmux("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", "sh");
        Type($"clear; sh -c '{command}'; echo exit code $?");
        Keys("Enter");
    }

    private string Screen() => Tmux("capture-pane", "-p");

    private void WaitFor(Func<string, bool> isShown)
    {
        string screen = "";
        Eventually.True(() => isShown(screen = Screen()), state: () => screen);
    }

    private static string? Line(string screen, string begin) =>
        screen.Split('\n').FirstOrDefault(line => line.StartsWith(begin, StringComparison.Ordinal));

    private void Keys(params string[] keys) => Tmux(["send-keys", .. keys]);

    private void Type(string text) => Tmux("send-keys", "-l", "--", text);

    private sealed class CountingTime : TimeProvider
    {
        private int _looks;

        internal int Looks => Volatile.Read(ref _looks);

        public override long GetTimestamp()
        {
            Interlocked.Increment(ref _looks);
            return base.GetTimestamp();
        }
    }

    private string Tmux(params string[] arguments) => ToolRun.Output("tmux", ["-L", _terminal, .. arguments]);

    private void Entry(string source, string destination, int port) => _space.Exec(
        "conntrack", "-I", "-p", "udp", "-s", source, "-d", destination, "--sport", "999", "--dport", $"{port}", "-t", "1000");
}
