using System.Collections;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using ConntrackStream.Service.Hosting;

namespace ConntrackStream.Service.Tests.Hosting;

public sealed class SystemdNotifierTests : IDisposable
{
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"cs-notify-{Guid.NewGuid():N}");

    public void Dispose() => File.Delete(_path);

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // abstract: a name without a file
    public void Tells_its_state_by_datagrams(bool isAbstract)
    {
        using Socket supervisor = Bind(isAbstract ? "\0" + _path : _path);
        using SystemdNotifier notifier = Create(isAbstract ? "@" + _path : _path);
        notifier.Ready("following\nall");
        notifier.Watchdog();
        notifier.Reloading();
        notifier.Status("x");
        notifier.Stopping();
        Assert.Equal("READY=1\nSTATUS=following all", Receive(supervisor));
        Assert.Equal("WATCHDOG=1", Receive(supervisor));
        Assert.StartsWith("RELOADING=1\nMONOTONIC_USEC=", Receive(supervisor), StringComparison.Ordinal);
        Assert.Equal("STATUS=x", Receive(supervisor));
        Assert.Equal("STOPPING=1\nSTATUS=draining", Receive(supervisor));
    }

    [Fact]
    public void A_supervisor_that_left_hurts_nobody()
    {
        Bind(_path).Dispose();
        using SystemdNotifier notifier = Create(_path);
        notifier.Ready("refused");
        File.Delete(_path);
        notifier.Ready("gone");
    }

    /// <summary>As systemd is while it is stopped or restarts itself: the queue of its socket is full.</summary>
    [Fact]
    public void A_supervisor_that_does_not_read_holds_nothing_up()
    {
        using Socket supervisor = Bind(_path);
        using SystemdNotifier notifier = Create(_path);
        int room = int.Parse(File.ReadAllText("/proc/sys/net/unix/max_dgram_qlen"), CultureInfo.InvariantCulture);
        for (int i = 0; i < 2 * (room + 2); i++)
            notifier.Watchdog();
        int waiting = 0;
        for (; supervisor.Available > 0; waiting++)
            Assert.Equal("WATCHDOG=1", Receive(supervisor));
        Assert.InRange(waiting, 1, room + 1); // the others were dropped
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("relative")]
    public void Without_a_socket_it_is_silent(string? path)
    {
        using SystemdNotifier notifier = Create(path);
        notifier.Ready("nobody");
        Assert.Null(notifier.WatchdogTimeout);
    }

    [Theory]
    [InlineData("30000000", null, 30.0)]
    [InlineData("30000000", "42", 30.0)]
    [InlineData("30000000", "43", null)] // another process is watched
    [InlineData("0", null, null)]
    [InlineData("soon", null, null)]
    public void Reads_the_watchdogs_timeout(string microseconds, string? pid, double? seconds)
    {
        Hashtable environment = new() { ["WATCHDOG_USEC"] = microseconds };
        if (pid is not null)
            environment["WATCHDOG_PID"] = pid;
        using SystemdNotifier notifier = new(environment, TimeProvider.System, processId: 42);
        Assert.Equal(seconds, notifier.WatchdogTimeout?.TotalSeconds);
    }

    [Fact]
    public async Task The_watchdog_beats_only_while_the_pipeline_answers()
    {
        using Socket supervisor = Bind(_path);
        VirtualTime time = new();
        using SystemdNotifier notifier = new(new Hashtable { ["NOTIFY_SOCKET"] = _path, ["WATCHDOG_USEC"] = "10000000" }, time, 1);
        RecordingLogger<WatchdogService> log = new();
        TaskCompletionSource<bool> stuck = new();
        int asked = 0;
        using WatchdogService watchdog = new(notifier, _ => ++asked <= 2 ? Task.FromResult(true) : stuck.Task, time, log);
        await watchdog.StartAsync(TestContext.Current.CancellationToken);

        await time.WaitForTimersAsync(1);
        Assert.Equal("WATCHDOG=1", Receive(supervisor)); // at once
        await TickAsync(time, () => asked == 2);
        await TickAsync(time, () => asked == 3);
        Assert.Equal("WATCHDOG=1", Receive(supervisor));
        Assert.Equal("WATCHDOG=1", Receive(supervisor));
        await TickAsync(time, () => log.Entries.Count == 1); // the third question hangs
        Assert.Equal(4006, log.Entries[0].Id);
        Assert.Equal(0, supervisor.Available);

        stuck.SetResult(true);
        await TickAsync(time, () => supervisor.Available > 0);
        await watchdog.StopAsync(TestContext.Current.CancellationToken);
    }

    private static async Task TickAsync(VirtualTime time, Func<bool> isDone)
    {
        time.Advance(TimeSpan.FromSeconds(5));
        while (!isDone())
        {
            TestContext.Current.CancellationToken.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private static SystemdNotifier Create(string? path)
    {
        Hashtable environment = [];
        if (path is not null)
            environment["NOTIFY_SOCKET"] = path;
        return new SystemdNotifier(environment, TimeProvider.System, 1);
    }

    private static Socket Bind(string path)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 10_000 };
        socket.Bind(new UnixDomainSocketEndPoint(path));
        return socket;
    }

    private static string Receive(Socket socket)
    {
        byte[] buffer = new byte[1024];
        return Encoding.UTF8.GetString(buffer, 0, socket.Receive(buffer));
    }
}
