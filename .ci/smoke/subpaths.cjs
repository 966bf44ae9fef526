/** Every subpath loads by `require` and by `import`, with the same names, or says which optional peer is missing. */
const { specifiers, optional } = JSON.parse(process.argv[2] ?? "");

async function load(specifier) {
  const required = Object.keys(require(specifier));
  const imported = Object.keys(await import(specifier));
  const lost = required.filter((name) => !imported.includes(name));
  if (lost.length > 0) throw new Error(`import of ${specifier} lacks ${lost.join(", ")}`);
}

async function main() {
  for (const specifier of specifiers) {
    try {
      await load(specifier);
    } catch (error) {
      if (!optional.some((name) => String(error).includes(`'${name}'`))) throw error;
    }
  }
}

void main();
