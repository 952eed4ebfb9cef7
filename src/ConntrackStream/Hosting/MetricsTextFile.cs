using System.Text;
using ConntrackStream.Pipeline.Files;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Service.Api;
using ConntrackStream.Service.Options;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Service.Hosting;

/// <summary>
/// Metrics as a file for node_exporter's textfile collector. Its readers see a whole file or the one before: it is written under another
/// name and then takes the place. It goes when the service ends, so that no old number looks current.
/// </summary>
/// <param name="refresh">Called before each look.</param>
internal sealed class MetricsTextFile(
    ApiMetricsSettings settings, Func<IEnumerable<MetricFamily>> metrics, Func<CancellationToken, Task> refresh, TimeProvider time,
    ILogger<MetricsTextFile> logger) : BackgroundService
{
    private readonly string _path = settings.TextFile!;
    private readonly RepeatLimit _failed = new(TimeSpan.FromMinutes(5), time);

    private string Name => Path.GetFileName(_path);

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        Try(directory => directory.Delete(Name));
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using PeriodicTimer timer = new(settings.TextFileInterval, time);
        try
        {
            do
            {
                await refresh(stoppingToken).ConfigureAwait(false);
                Try(Write);
            }
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The service ends.
        }
    }

    private void Write(OwnedDirectory directory)
    {
        string draft = $".{Name}.new"; // the collector reads *.prom
        using (SafeFileHandle file = directory.Create(draft, FileModes.Metrics))
        {
            File.SetUnixFileMode(file, FileModes.Metrics); // whatever the umask: it is for another user
            RandomAccess.Write(file, Encoding.UTF8.GetBytes(PrometheusText.Write(metrics(), MetricsFormat.Text)), 0);
        }

        directory.Rename(draft, Name);
    }

    private void Try(Action<OwnedDirectory> change)
    {
        try
        {
            using OwnedDirectory directory = OwnedDirectory.Open(Path.GetDirectoryName(_path)!);
            change(directory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (_failed.IsDue())
                ServiceLog.MetricsNotWritten(logger, _path, e.Message);
        }
    }
}
