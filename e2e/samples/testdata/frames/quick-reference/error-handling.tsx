function Page() {
  // sample: Error Handling
  return control;
}

const control = mount(Page).result;
for (let i = 0; i < Number(process.env.TIMES); i++) say('secret', await start(control));
