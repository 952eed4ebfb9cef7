using System.Text;
using ConntrackStream.Pipeline.Files;
using ConntrackStream.Sinks.Fleet;
using ConntrackStream.Sinks.Fleet.Collect;
using ConntrackStream.Sinks.Tests.FlowLog;
using Microsoft.Extensions.Time.Testing;

namespace ConntrackStream.Sinks.Tests.Fleet.Collect;

/// <summary>The file of one host, while other programs rename and remove it.</summary>
public sealed class HostLogTests : IDisposable
{
    private const int FileRemoved = 3064;

    private readonly TemporaryDirectory _directory = new();
    private readonly RecordingLogger _logger = new();
    private readonly FakeTimeProvider _time = new(FlowLogTestData.Clock);

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

    private HostLogs Open() => new(
        OwnedDirectory.Open(_directory.Path), new CollectOptions { Directory = _directory.Path }, new CollectCounters(), _time, _logger);

    private static ValueTask TakeAsync(HostLogs hosts, ulong number) => hosts.TakeAsync(
        new Made(new MessageIdentity(7, number, number), Encoding.ASCII.GetBytes(Line(number))), TestContext.Current.CancellationToken);

    private static string Line(ulong number) => $"{{\"time\":\"2026-01-01T00:00:0{number}.000000Z\",\"seq\":{number}}}\n";

    private sealed class Made(MessageIdentity identity, byte[] lines) : CollectedMessage("gw1", identity)
    {
        internal override ReadOnlyMemory<byte> Lines => lines;

        internal override ValueTask AcknowledgeAsync(CancellationToken cancellation) => default;

        internal override ValueTask ReturnAsync(TimeSpan after, CancellationToken cancellation) => default;

        public override void Dispose()
        {
        }
    }
}
