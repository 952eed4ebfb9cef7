using System.Text;
using ConntrackStream.Pipeline.Files;
using ConntrackStream.Sinks.Fleet;
using ConntrackStream.Sinks.Fleet.Collect;
using ConntrackStream.Sinks.Tests.FlowLog;
using Microsoft.Extensions.Time.Testing;

namespace ConntrackStream.Sinks.Tests.Fleet.Collect;

/// <summary>The file of one host: its order, and other programs that rename and remove it.</summary>
public sealed class HostLogTests : IDisposable
{
    private const int FileRemoved = 3064;

    private readonly TemporaryDirectory _directory = new();
    private readonly RecordingLogger _logger = new();
    private readonly FakeTimeProvider _time = new(FlowLogTestData.Clock);
    private readonly List<ulong> _returned = []; // first numbers of messages

    private string Log => _directory.File("gw1.ndjson");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_file_that_was_renamed_is_left_and_a_new_one_begun()
    {
        await using HostLogs hosts = Open();
        await TakeAsync(hosts, 1);
        File.Move(Log, Log + ".1");
        _time.Advance(TimeSpan.FromSeconds(1));
        await TakeAsync(hosts, 2);
        Assert.Equal((Line(1), Line(2)), (File.ReadAllText(Log + ".1"), File.ReadAllText(Log)));
        Assert.DoesNotContain(FileRemoved, _logger.Ids);
    }

    [Fact]
    public async Task A_file_that_was_removed_is_reported()
    {
        await using HostLogs hosts = Open();
        await TakeAsync(hosts, 1);
        File.Delete(Log);
        _time.Advance(TimeSpan.FromSeconds(1));
        await TakeAsync(hosts, 2);
        Assert.Equal(Line(2), File.ReadAllText(Log));
        Assert.Contains(FileRemoved, _logger.Ids);
    }

    [Fact]
    public async Task What_comes_in_any_order_before_the_log_begins_is_written_in_order()
    {
        const int held = 256, all = 300;
        await using HostLogs hosts = Open();
        for (ulong number = all; number > 0; number--)
            await TakeAsync(hosts, number, previousRun: 5); // of which nothing is there: it is waited for
        Assert.Empty(File.ReadAllText(Log));
        _time.Advance(new CollectOptions { Directory = "" }.Patience);
        await hosts.CheckMissingAsync(TestContext.Current.CancellationToken);
        Assert.Equal(string.Concat(Enumerable.Range(1, held).Select(static number => Line((ulong)number))), File.ReadAllText(Log));
        Assert.Equal(Enumerable.Range(held + 1, all - held).Select(static number => (ulong)number), _returned.Order());
    }

    private HostLogs Open() => new(
        OwnedDirectory.Open(_directory.Path), new CollectOptions { Directory = _directory.Path }, new CollectCounters(), _time, _logger);

    private ValueTask TakeAsync(HostLogs hosts, ulong number, ulong previousRun = 0) => hosts.TakeAsync(
        new Made(new MessageIdentity(7, number, number, number == 1 ? previousRun : 0), Encoding.ASCII.GetBytes(Line(number)), _returned),
        TestContext.Current.CancellationToken);

    private static string Line(ulong number) => $"{{\"time\":\"2026-01-01T00:00:0{number}.000000Z\",\"seq\":{number}}}\n";

    private sealed class Made(MessageIdentity identity, byte[] lines, List<ulong> returned) : CollectedMessage("gw1", identity)
    {
        internal override ReadOnlyMemory<byte> Lines => lines;

        internal override ValueTask AcknowledgeAsync(CancellationToken cancellation) => default;

        internal override ValueTask ReturnAsync(TimeSpan after, CancellationToken cancellation)
        {
            returned.Add(Identity.First);
            return default;
        }

        public override void Dispose()
        {
        }
    }
}
