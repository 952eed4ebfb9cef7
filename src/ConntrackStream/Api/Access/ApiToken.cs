using System.Security.Cryptography;
using System.Text;
using ConntrackStream.Sinks.Files;

namespace ConntrackStream.Service.Api.Access;

/// <summary>The token of requests over TCP, kept as its hash. Its file can be read again while the service runs.</summary>
internal sealed class ApiToken
{
    private const string Scheme = "Bearer ";
    private const int Shortest = 16;

    private readonly string _file;
    private volatile byte[] _hash = [];

    /// <exception cref="UnusableFileException">The file cannot be used.</exception>
    internal ApiToken(string file)
    {
        _file = file;
        Read();
    }

    /// <summary>Reads the file again; on failure the token stays what it was.</summary>
    /// <exception cref="UnusableFileException">The file cannot be used.</exception>
    internal void Read()
    {
        string token = SecretFile.Token(_file);
        if (token.Length < Shortest)
            throw new UnusableFileException($"{_file} must have a token of at least {Shortest} characters (openssl rand -hex 32)");
        _hash = Hash(token);
    }

    /// <summary>Takes the same time whatever is wrong: hashes of equal length are compared.</summary>
    internal bool IsIn(string? authorization) =>
        authorization is not null
        && authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
        && CryptographicOperations.FixedTimeEquals(Hash(authorization[Scheme.Length..].Trim()), _hash);

    private static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}
