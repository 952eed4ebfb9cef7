using ConntrackStream.EventTap.Files;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Service.Hosting;

/// <summary>
/// Keeps a second instance from serving the same network namespace. The kernel frees the lock (flock) with the process, however it ends.
/// </summary>
internal sealed class InstanceLock : IDisposable
{
    private readonly SafeFileHandle _file;

    private InstanceLock(SafeFileHandle file) => _file = file;

    /// <exception cref="IOException">Another instance holds it, or the file cannot be made or trusted.</exception>
    internal static InstanceLock Take(string stateDirectory, NamespaceIdentity identity)
    {
        using OwnedDirectory directory = OwnedDirectory.OpenState(stateDirectory);
        string name = $"netns-{identity.Cookie}.lock";
        SafeFileHandle file = directory.OpenOrCreate(name, FileModes.State);
        if (FileSystemCalls.TryLock(file))
            return new InstanceLock(file);
        file.Dispose();
        throw new IOException($"another conntrack-stream serves this network namespace already ({directory.PathOf(name)} is locked)");
    }

    // The file stays: removing it would let a third instance lock a new one beside a second that waits for this.
    public void Dispose() => _file.Dispose();
}
