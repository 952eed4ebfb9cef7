namespace ConntrackStream.Service.Hosting;

/// <summary>What SIGHUP does: each part registers its own step, such as reopening a log. A failing step does not keep the others from running.</summary>
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
            foreach ((string name, Action step) in _steps)
            {
                try
                {
                    step();
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException or Options.ConfigurationException)
                {
                    ServiceLog.ReloadFailed(logger, name, e.Message);
                }
            }

            notifier.Ready("reloaded");
            ServiceLog.Reloaded(logger);
        }
    }
}
