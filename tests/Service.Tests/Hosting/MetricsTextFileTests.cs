using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Service.Hosting;
using ConntrackStream.Service.Options;

namespace ConntrackStream.Service.Tests.Hosting;

/// <summary>Metrics as a file.</summary>
public sealed class MetricsTextFileTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("cs-prom-").FullName;
    private readonly FakeTimeProvider _time = new();
    private readonly RecordingLogger<MetricsTextFile> _logger = new();
    private double _value = 1;

    private string Path => System.IO.Path.Combine(_directory, "c.prom");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task It_is_written_at_each_interval_and_gone_at_the_end()
    {
        using MetricsTextFile file = New(Path);
        await file.StartAsync(Cancellation);
        await Eventually.TrueAsync(() => Read().EndsWith("\nx 1\n", StringComparison.Ordinal));
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead, File.GetUnixFileMode(Path));
        _value = 2;
        _time.Advance(TimeSpan.FromSeconds(15));
        await Eventually.TrueAsync(() => Read().EndsWith("\nx 2\n", StringComparison.Ordinal));
        await file.StopAsync(Cancellation);
        Assert.Empty(Directory.GetFiles(_directory));
    }

    [Fact]
    public async Task A_link_in_its_place_is_replaced_and_not_followed()
    {
        string precious = System.IO.Path.Combine(_directory, "precious");
        File.WriteAllText(precious, "precious");
        File.CreateSymbolicLink(Path, precious);
        File.CreateSymbolicLink(System.IO.Path.Combine(_directory, ".c.prom.new"), precious);
        using MetricsTextFile file = New(Path);
        await file.StartAsync(Cancellation);
        await Eventually.TrueAsync(() => new FileInfo(Path).LinkTarget is null && File.Exists(Path));
        await file.StopAsync(Cancellation);
        Assert.Equal("precious", File.ReadAllText(precious));
    }

    [Fact]
    public async Task A_directory_that_is_not_there_is_reported_and_tried_again()
    {
        string directory = System.IO.Path.Combine(_directory, "later");
        using MetricsTextFile file = New(System.IO.Path.Combine(directory, "c.prom"));
        await file.StartAsync(Cancellation);
        await Eventually.TrueAsync(
            () => _logger.Entries.Exists(static entry => entry.Message.Contains("later/c.prom", StringComparison.Ordinal)));
        Directory.CreateDirectory(directory);
        await Eventually.TrueAsync(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(15));
            return File.Exists(System.IO.Path.Combine(directory, "c.prom"));
        });
        await file.StopAsync(Cancellation);
    }

    private MetricsTextFile New(string path) => new(
        new ApiMetricsSettings { TextFile = path },
        () => [new MetricFamily("x", MetricType.Gauge, "One.", () => [new MetricSample("", _value, [])])],
        static _ => Task.CompletedTask,
        _time,
        _logger);

    private string Read() => File.Exists(Path) ? File.ReadAllText(Path) : "";
}
