using System.Text;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Verbs;
using ConntrackStream.Sinks.MapCleaning.NpaLog;

namespace ConntrackStream.Service.Tests.Verbs;

public sealed class NpaFollowTests : IDisposable
{
    private const string Check = "[INFO] Check for any stale entries in the conntrack map";
    private const string Hydrated = "[INFO] hydrated local conntrack cache";

    private readonly string _directory = Directory.CreateTempSubdirectory("npa-follow-").FullName;
    private readonly MemoryStream _output = new();
    private readonly SharedText _error = new();
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2024, 12, 4, 20, 1, 0, TimeSpan.Zero));

    private string Log => $"{_directory}/agent.log";

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Each_cycle_is_shown_when_it_is_over_also_in_a_rotated_log()
    {
        File.WriteAllText(Log, $"2024-12-04 20:00:00 {Check}\n2024-12-04 20:00:01 {Hydrated}\n");
        using CancellationTokenSource end = new();
        Task<int> run = RunAsync(end.Token, isTerminal: false);
        await ShownAsync("2024-12-04T20:00:00.000Z  2024-12-04T20:00:01.000Z     1.000 s  hydrated    -\n");
        File.AppendAllText(Log, $"2024-12-04 20:05:00 {Check}\n");
        await PassAsync(3);
        Assert.DoesNotContain("20:05:00", Text, StringComparison.Ordinal); // it is not over
        File.AppendAllText(Log, $"2024-12-04 20:05:02 {Hydrated}\n");
        await ShownAsync("2024-12-04T20:05:00.000Z  2024-12-04T20:05:02.000Z     2.000 s  hydrated    -\n");
        File.Move(Log, $"{Log}.1");
        File.WriteAllText(Log, $"2024-12-04 20:10:00 {Check}\n2024-12-04 20:10:03 {Hydrated}\n");
        await ShownAsync("2024-12-04T20:10:00.000Z  2024-12-04T20:10:03.000Z     3.000 s  hydrated    -\n");
        await end.CancelAsync();
        Assert.Equal(0, await run);
        Assert.Contains("next      2024-12-04T20:15:00.000Z", Text, StringComparison.Ordinal);
        Assert.Empty(_error.ToString());
    }

    [Fact]
    public async Task On_a_terminal_it_counts_down()
    {
        File.WriteAllText(Log, $"2024-12-04 20:00:00 {Check}\n2024-12-04 20:00:01 {Hydrated}\n");
        using CancellationTokenSource end = new();
        Task<int> run = RunAsync(end.Token, isTerminal: true);
        await ShownAsync("hydrated    -\n");
        await TellsAsync("\r\e[Knext cleanup (cleaned) in 1 min 30 s");
        await TellsAsync("\r\e[Knext cleanup (cleaned) in 1 min 29 s");
        _time.Advance(TimeSpan.FromMinutes(2));
        await TellsAsync("\r\e[Knext cleanup (cleaned) was due 3");
        await end.CancelAsync();
        Assert.Equal(0, await run);
        Assert.EndsWith("\r\e[K", Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_countdown_follows_the_log()
    {
        CycleSchedule none = CycleSchedule.Of([], TimeSpan.FromMinutes(5));
        Assert.Equal("next cleanup: unknown until the log shows one", NpaFollow.Countdown(none, 0));
        CycleSchedule known = none with { Next = 7_200_000_000_000 };
        Assert.Equal("next cleanup in 2 h 0 min", NpaFollow.Countdown(known, 0));
        Assert.Equal("next cleanup in 0 s", NpaFollow.Countdown(known, 7_200_000_000_000));
        Assert.Equal("next cleanup was due 9 s ago", NpaFollow.Countdown(known, 7_209_000_000_000));
    }

    private string Text => Encoding.UTF8.GetString(_output.ToArray());

    private string Error => _error.ToString();

    private Task<int> RunAsync(CancellationToken end, bool isTerminal)
    {
        CliContext context = new()
        {
            Output = _output,
            Error = _error,
            ErrorIsTerminal = isTerminal,
            Time = _time,
        };
        return new CommandLine(context).RunAsync(["npa-log", "--follow", Log], end);
    }

    private Task ShownAsync(string text) => UntilAsync(() => Text.Contains(text, StringComparison.Ordinal), text);

    private Task TellsAsync(string text) => UntilAsync(() => Error.Contains(text, StringComparison.Ordinal), text);

    /// <summary>Lets the reader's time pass until it has seen what is there.</summary>
    private Task UntilAsync(Func<bool> isSo, string waitedFor) => Eventually.TrueAsync(
        () =>
        {
            _time.Advance(FollowedLog.LookInterval / 4);
            return Task.FromResult(isSo());
        },
        waitedFor: waitedFor);

    private async Task PassAsync(int looks)
    {
        for (int i = 0; i < 4 * looks; i++)
        {
            _time.Advance(FollowedLog.LookInterval / 4);
            await Task.Yield();
        }
    }

    /// <summary>Written by the reader and a timer, read by the test.</summary>
    private sealed class SharedText : StringWriter
    {
        private readonly Lock _gate = new();

        public override void Write(string? value)
        {
            lock (_gate)
                base.Write(value);
        }

        public override void WriteLine(string? value)
        {
            lock (_gate)
                base.WriteLine(value);
        }

        public override string ToString()
        {
            lock (_gate)
                return base.ToString();
        }
    }
}
