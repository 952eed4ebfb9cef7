using System.Runtime.InteropServices;

namespace ConntrackStream.Service.Hosting;

/// <summary>
/// SIGTERM and SIGINT end the service in order (drain, restore, exit 0). A second SIGINT ends it at once, SIGHUP reloads.
/// SIGHUP and SIGTERM are heeded although whoever started the service had them ignored (nohup); SIGINT and SIGQUIT then stay ignored, as a
/// shell's background jobs want it.
/// </summary>
internal sealed class ServiceSignals(
    IHostApplicationLifetime lifetime, ServiceReload reload, ILogger<ServiceSignals> logger) : IHostLifetime, IDisposable
{
    private readonly List<PosixSignalRegistration> _registrations = [];
    private int _interrupts;
    private int _stops;

    public Task WaitForStartAsync(CancellationToken cancellationToken)
    {
        Libc.StopIgnoring(Libc.SIGHUP);
        Libc.StopIgnoring(Libc.SIGTERM);
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop));
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGQUIT, Stop));
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, Interrupt));
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGHUP, Reload));
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _registrations.ForEach(static registration => registration.Dispose());

    private void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        if (Interlocked.Increment(ref _stops) == 1)
            ServiceLog.Signalled(logger, context.Signal);
        lifetime.StopApplication();
    }

    // Not cancelled, the runtime takes the signal's default action: the process ends by SIGINT.
    private void Interrupt(PosixSignalContext context)
    {
        if (Interlocked.Increment(ref _interrupts) == 1)
            Stop(context);
    }

    private void Reload(PosixSignalContext context)
    {
        context.Cancel = true;
        reload.Run();
    }
}
