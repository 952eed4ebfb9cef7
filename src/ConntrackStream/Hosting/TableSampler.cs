using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.Service.Hosting;

/// <summary>
/// Asks the kernel for <see cref="TableSample"/>s over one socket, which is opened again after a failure. Not thread-safe.
/// </summary>
/// <param name="networkNamespace">Known only once the service has started.</param>
internal sealed class TableSampler(Func<NetworkNamespace> networkNamespace)
{
    private ConntrackClient? _client;
    private int _generation; // of the namespace, when the client was opened

    /// <exception cref="NetlinkException">The kernel did not answer.</exception>
    internal TableSample Sample()
    {
        try
        {
            NetworkNamespace followed = networkNamespace();
            if (_generation != followed.Generation)
            {
                _client?.Dispose();
                _client = null;
            }

            _generation = followed.Generation;
            _client ??= followed.Run(static () => new ConntrackClient());
            long drop = 0, insertFailed = 0, earlyDrop = 0;
            foreach (ConntrackCpuStats cpu in _client.Stats())
            {
                drop += cpu.Drop ?? 0;
                insertFailed += cpu.InsertFailed ?? 0;
                earlyDrop += cpu.EarlyDrop ?? 0;
            }

            return new TableSample(_client.Count(), _client.Max(), drop, insertFailed, earlyDrop, _generation);
        }
        catch (NetlinkException)
        {
            _client?.Dispose();
            _client = null;
            throw;
        }
    }
}
