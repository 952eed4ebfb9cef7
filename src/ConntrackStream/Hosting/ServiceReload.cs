using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Service.Hosting;

/// <summary>
/// What SIGHUP does: each part registers its own step, such as reopening a log. A failing step does not keep the others from running.
/// </summary>
internal sealed class ServiceReload(SystemdNotifier notifier, ILogger<ServiceReload> logger)
{
    private readonly Lock _running = new();
    private readonly List<(string Name, Action Step)> _steps = [];

    /// <summary>Before the service runs.</summary>
    internal void Add(string name, Action step) => _steps.Add((name, step));

    internal void Run()
    {
        lock (_running)
        {
            notifier.Reloading();
            bool isWhole = true;
            foreach ((string name, Action step) in _steps)
            {
                try
                {
                    step();
                }
                catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException or ConfigurationException)
                {
                    ServiceLog.ReloadFailed(logger, name, e.Message);
                    isWhole = false;
                }
            }

            notifier.Ready(isWhole ? "reloaded" : "reloaded in part: see the log");
            if (isWhole)
                ServiceLog.Reloaded(logger);
        }
    }
}
