namespace ConntrackStream.Sinks.Files;

/// <summary>Short files with secrets, which only root, or the service's user, can write.</summary>
internal static class SecretFile
{
    private const int MostBytes = 64 * 1024;

    /// <summary>One token.</summary>
    /// <exception cref="UnusableFileException">The file cannot be used, or has something else.</exception>
    internal static string Token(string path)
    {
        string token = Content(path).Trim();
        return token.Length > 0 && token.All(static c => c is > ' ' and <= '~')
            ? token
            : throw new UnusableFileException($"{path} must have one token of printable ASCII characters");
    }

    /// <exception cref="UnusableFileException">The file cannot be used.</exception>
    internal static string Content(string path)
    {
        if (RootOwned.Problem(path) is { } problem)
            throw new UnusableFileException($"{path} {problem}");
        try
        {
            return new FileInfo(path).Length <= MostBytes
                ? File.ReadAllText(path)
                : throw new IOException($"it has more than {MostBytes / 1024} KiB");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UnusableFileException($"{path} cannot be used: {e.Message}", e);
        }
    }
}
