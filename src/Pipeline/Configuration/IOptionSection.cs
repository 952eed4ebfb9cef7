using System.Diagnostics.CodeAnalysis;

namespace ConntrackStream.Pipeline.Configuration;

/// <summary>
/// A class of options: each property with a setter is a key, or a section below. It has no members; a native build keeps the properties of
/// what implements it, which else only reflection uses.
/// </summary>
[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)]
public interface IOptionSection;
