using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Files;
using ConntrackStream.Sinks.Destinations;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Sinks.Tests.Destinations;

public sealed class DestinationSinkTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("cs-destinations-");
    private readonly VirtualTime _time = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string[] Lines => File.ReadAllLines(Path.Combine(_directory.FullName, DestinationSink.FileName));

    [Fact]
    public async Task Each_interval_replaces_the_file_the_busiest_first_and_the_end_writes_the_rest()
    {
        DestinationSink sink = New();
        await sink.StartAsync(Cancel);
        await sink.WriteAsync(
            Batch(
                (FlowChangeKind.Started, 1, 0),
                (FlowChangeKind.Started, 2, 0),
                (FlowChangeKind.Started, 2, 0),
                (FlowChangeKind.Ended, 1, 700)), Cancel);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(
            [
                """{"dst":"0.0.0.2","started":2,"ended":0,"bytes":0}""",
                """{"dst":"0.0.0.1","started":1,"ended":1,"bytes":700}""",
            ],
            Lines);
        await sink.WriteAsync(Batch((FlowChangeKind.Ended, 2, 5), (FlowChangeKind.Updated, 3, 9)), Cancel);
        await sink.DisposeAsync();
        Assert.Equal("""{"dst":"0.0.0.2","started":0,"ended":1,"bytes":5}""", Assert.Single(Lines));
    }

    [Fact]
    public async Task More_destinations_than_there_is_room_for_are_counted_as_such()
    {
        DestinationSink sink = New();
        await sink.StartAsync(Cancel);
        for (ulong first = 1; first <= 65_536 + 256; first += 256)
            await sink.WriteAsync(
                Batch([.. Enumerable.Range(0, 256).Select(i => (FlowChangeKind.Started, first + (ulong)i, 0ul))]), Cancel);
        Assert.Equal(256, sink.Uncounted);
        await sink.DisposeAsync();
        Assert.Equal(65_536, Lines.Length);
    }

    private DestinationSink New() =>
        new(TimeSpan.FromMinutes(1), StateDirectory.Open(_directory.FullName), _time, NullLogger.Instance);

    private static FlowChangeBatch Batch(params (FlowChangeKind Kind, ulong Destination, ulong Bytes)[] changes)
    {
        FlowChangeBatch batch = new();
        foreach ((FlowChangeKind kind, ulong destination, ulong bytes) in changes)
        {
            ref FlowChange change = ref batch.Add();
            change.Kind = kind;
            change.Flow.Original = new FlowTuple { Family = FlowFamily.IPv4, Destination = new IpAddress(0, destination) };
            change.Flow.ReplyBytes = bytes;
        }

        return batch;
    }

    public void Dispose() => _directory.Delete(recursive: true);
}
