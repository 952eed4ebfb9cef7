namespace ConntrackStream.Service.Hosting;

/// <summary>Keeps a second instance from serving the same network namespace. The kernel frees the lock (flock) with the process, however it ends.</summary>
internal sealed class InstanceLock : IDisposable
{
    private readonly FileStream _file;

    private InstanceLock(FileStream file) => _file = file;

    /// <exception cref="IOException">Another instance holds it, or the file cannot be made.</exception>
    internal static InstanceLock Take(string stateDirectory, NamespaceIdentity identity)
    {
        string path = Path.Combine(stateDirectory, $"netns-{identity.Cookie}.lock");
        try
        {
            return new InstanceLock(new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            }));
        }
        catch (IOException e) when (File.Exists(path))
        {
            throw new IOException($"another conntrack-stream serves this network namespace already ({path} is locked)", e);
        }
    }

    // The file stays: removing it would let a third instance lock a new one beside a second that waits for this.
    public void Dispose() => _file.Dispose();
}
