using System.Text.Json;
using ConntrackStream.Sinks.Fleet.Collect;
using ConntrackStream.Sinks.Tests.FlowLog;

namespace ConntrackStream.Sinks.Tests.Fleet.Collect;

/// <summary>A collector with its files in a directory of its own.</summary>
internal abstract class CollectRig : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private CancellationTokenSource? _end;
    private Task<string?> _run = Task.FromResult<string?>(null);
    private long _written; // by collectors before

    internal CollectOptions Options { get; set; } = new()
    {
        Directory = "",
        Patience = TimeSpan.FromSeconds(1),
    };

    internal RecordingLogger Logger { get; } = new();

    internal Collector Collector { get; private set; } = null!;

    /// <summary>Records in files, those of collectors before included.</summary>
    internal long Written => _written + Collector.Counters.Records;

    internal string Directory => _directory.Path;

    internal string PathOf(string host) => _directory.File($"{host}.ndjson");

    internal void Start()
    {
        _end = new CancellationTokenSource();
        _written += Collector?.Counters.Records ?? 0;
        CollectOptions options = Options with { Directory = Directory };
        Collector = new Collector(NewSource(options), options, TimeProvider.System, Logger);
        _run = Collector.RunAsync(_end.Token);
    }

    /// <summary>To the end of the stream.</summary>
    internal async Task<CollectCounters> OnceAsync()
    {
        Assert.Null(await FailureOfOnceAsync());
        return Collector.Counters;
    }

    /// <returns>Why the end of the stream was not reached; null: it was.</returns>
    internal Task<string?> FailureOfOnceAsync()
    {
        Options = Options with { Once = true };
        Start();
        return _run;
    }

    internal async Task StopAsync()
    {
        if (_end is null)
            return;
        await _end.CancelAsync();
        await _run;
        _end.Dispose();
        _end = null;
    }

    /// <summary>All records of a host, in the order of the files; none may be rotated meanwhile.</summary>
    internal List<JsonElement> Records(string host) =>
    [
        .. System.IO.Directory.GetFiles(Directory, $"{host}.ndjson*").OrderBy(path => path == PathOf(host))
            .ThenBy(static path => path, StringComparer.Ordinal).SelectMany(File.ReadLines).Select(static line => JsonElement.Parse(line)),
    ];

    /// <summary>Each number once and in order, with those that gaps stand for.</summary>
    internal static void AssertComplete(IEnumerable<JsonElement> records)
    {
        string run = "";
        long next = 0;
        foreach (JsonElement record in records)
        {
            if (record.GetProperty("run").GetString() is { } of && of != run)
                (run, next) = (of, 1);
            Assert.Equal(next, record.GetProperty("seq").GetInt64());
            next = (record.TryGetProperty("seq_to", out JsonElement to) ? to.GetInt64() : next) + 1;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _directory.Dispose();
    }

    protected abstract ICollectSource NewSource(CollectOptions options);
}
