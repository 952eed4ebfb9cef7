using System.Runtime.InteropServices;

namespace ConntrackStream.Service.Cli;

/// <summary>
/// Ctrl-C and SIGTERM as a cancellation: a verb that runs on ends in order, with its closing line. A second Ctrl-C ends it at once, unless
/// it is to end in order whatever comes.
/// </summary>
internal sealed class Interruption : IDisposable
{
    private readonly CancellationTokenSource _source;
    private readonly PosixSignalRegistration[] _registrations;
    private readonly bool _endsInOrder;

    /// <param name="endsInOrder">Whatever signals come.</param>
    internal Interruption(CancellationToken outer, bool endsInOrder = false)
    {
        _endsInOrder = endsInOrder;
        _source = CancellationTokenSource.CreateLinkedTokenSource(outer);
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle), PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle),
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, Handle),
        ];
    }

    internal CancellationToken Token => _source.Token;

    public void Dispose()
    {
        Array.ForEach(_registrations, static registration => registration.Dispose());
        _source.Dispose();
    }

    // Left to the runtime the second time, the signal takes its default action.
    private void Handle(PosixSignalContext context)
    {
        if (_source.IsCancellationRequested && !_endsInOrder)
            return;
        context.Cancel = true;
        _source.Cancel();
    }
}
